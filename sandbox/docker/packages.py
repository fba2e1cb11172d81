"""Where Debian's packages come from on this machine: its own mirror and proxy, as apt has them."""

import re
import shutil
import subprocess

PUBLIC_MIRROR = "http://deb.debian.org/debian"


def mirror() -> str:
    """Return the address of a Debian archive: what apt uses on Debian, else the public one."""
    argv = ("indextargets", "--format", "$(LABEL) $(REPO_URI)", "Created-By: Packages")
    return archive_among(_apt("apt-get", *argv)) or PUBLIC_MIRROR


def archive_among(sources: str) -> str | None:
    """Return the first Debian archive on HTTP, in lines of label and address."""
    for line in sources.splitlines():
        label, _, address = line.partition(" ")
        if label == "Debian" and address.startswith(("http://", "https://")):
            return address.rstrip("/")
    return None


def proxies() -> dict[str, str]:
    """Return apt's proxies by the names under which other programs look for them."""
    names = ("http_proxy", "Acquire::http::Proxy", "https_proxy", "Acquire::https::Proxy")
    found = re.findall(r"^(\w+)='([^']+)'$", _apt("apt-config", "shell", *names), re.MULTILINE)
    return {name: value for name, value in found if value != "DIRECT"}


def _apt(program: str, *argv: str) -> str:
    if shutil.which(program) is None:
        return ""
    return subprocess.run((program, *argv), capture_output=True, text=True, timeout=60).stdout
