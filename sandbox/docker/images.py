"""The images, built when their recipe changed, from a public base or one made on this machine.

Rule: a base made here has a name of its own, never that of the public image.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from sandbox.docker.command import DockerFailed, docker
from sandbox.docker.packages import mirror, proxies

SANDBOX = Path(__file__).resolve().parents[1]
LABEL = "waldur-slurm-sandbox.recipe"
BUILD_S = 900.0
DEBIAN_KEYS = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
BOOTSTRAP = Path("/usr/share/debootstrap/scripts/sid")
"""How every Debian is made; debootstrap has it under the names of those that it has heard of."""


@dataclass(frozen=True)
class Release:
    """A Slurm release, and the Debian release that ships it."""

    slurm: str
    debian: str
    compiler: str = "tcc"
    takes_outdated_index: bool = False
    """A Debian that is still in the making dates its index; a mirror that lags is soon past it."""

    @property
    def tag(self) -> str:
        return f"waldur-slurm-sandbox:{self.slurm}"

    @property
    def public_base(self) -> str:
        return f"debian:{self.debian}-slim"

    @property
    def local_base(self) -> str:
        return f"waldur-slurm-sandbox-base:{self.debian}"


RELEASES = {
    release.slurm: release
    for release in (
        Release("22.05", "bookworm"),
        Release("24.11", "trixie"),
        Release("26.05", "forky", compiler="gcc", takes_outdated_index=True),
    )
}


def ensure_images(releases: Iterable[str]) -> tuple[str, ...]:
    """Build what is missing, side by side; return the tags that had to be built."""
    wanted = [RELEASES[name] for name in releases]
    with ThreadPoolExecutor() as pool:
        built = list(pool.map(ensure_image, wanted))
    return tuple(release.tag for release, new in zip(wanted, built, strict=True) if new)


def ensure_image(release: Release) -> bool:
    """Say whether the image had to be built."""
    recipe = _recipe()
    if recipe_of(release.tag) == recipe:
        return False
    sys.stderr.write(f"building {release.tag}; the first time this takes about a minute\n")
    docker(
        "build",
        "--force-rm",
        f"--tag={release.tag}",
        f"--label={LABEL}={recipe}",
        f"--build-arg=BASE={base_of(release)}",
        f"--build-arg=RELEASE={release.slurm}",
        f"--build-arg=COMPILER={release.compiler}",
        f"--build-arg=OUTDATED_INDEX={'taken' if release.takes_outdated_index else 'refused'}",
        # Without a value: taken from the environment, if it is there.
        "--build-arg=http_proxy",
        "--build-arg=https_proxy",
        f"--file={SANDBOX / 'docker' / 'Dockerfile'}",
        str(SANDBOX),
        timeout=BUILD_S,
        # The classic builder is the one that every engine has.
        environ={**proxies(), "DOCKER_BUILDKIT": "0"},
    )
    # The one before lost its name.
    docker("image", "prune", "--force", "--filter", f"label={LABEL}", check=False)
    return True


def _recipe() -> str:
    files = [SANDBOX / "docker" / "Dockerfile", SANDBOX / "slurm" / "shims" / "nodelay.c"]
    files += sorted(file for file in (SANDBOX / "docker" / "image").rglob("*") if file.is_file())
    return digest_of(files, SANDBOX)


def digest_of(files: Iterable[Path], top: Path) -> str:
    digest = hashlib.sha256()
    for file in files:
        content = file.read_bytes()
        digest.update(f"{file.relative_to(top)} {len(content)}\n".encode() + content)
    return digest.hexdigest()[:16]


def recipe_of(image: str) -> str | None:
    form = f'{{{{index .Config.Labels "{LABEL}"}}}}'
    found = docker("image", "inspect", "--format", form, image, check=False)
    return found.stdout.strip() if found.returncode == 0 else None


def base_of(release: Release) -> str:
    """Return the public image, or one that is made here where no registry can be reached."""
    for name in (release.public_base, release.local_base):
        if docker("image", "inspect", name, check=False).returncode == 0:
            return name
    try:
        docker("pull", "--quiet", release.public_base, timeout=120)
    except DockerFailed:
        _bootstrap(release)
        return release.local_base
    return release.public_base


def _bootstrap(release: Release) -> None:
    """Make a minimal Debian from its packages; needs root, as it enters what it makes."""
    sudo = () if os.geteuid() == 0 else ("sudo",)
    program = shutil.which("debootstrap", path="/usr/sbin:/usr/bin")
    if program is None:
        raise DockerFailed(f"no registry has {release.public_base}, and there is no debootstrap")
    argv = (*sudo, "env", *(f"{name}={value}" for name, value in proxies().items()), program)
    place = Path(tempfile.mkdtemp(prefix="waldur-slurm-sandbox-", dir="/var/tmp"))
    # One level down: the system's own root must be root's, and open to everybody.
    system = place / "system"
    argv += ("--variant=minbase", f"--keyring={DEBIAN_KEYS}")
    argv += (release.debian, str(system), mirror(), str(BOOTSTRAP))
    try:
        made = subprocess.run(argv, capture_output=True, text=True, timeout=BUILD_S)
        if made.returncode:
            raise DockerFailed(
                f"debootstrap {release.debian}: {(made.stdout + made.stderr)[-2000:]}"
            )
        _import(system, release.local_base, sudo)
    finally:
        subprocess.run((*sudo, "rm", "-rf", "--one-file-system", str(place)), check=True)


def _import(system: Path, name: str, sudo: tuple[str, ...]) -> None:
    archive = system.with_suffix(".tar")
    argv = (*sudo, "tar", "--create", f"--file={archive}", f"--directory={system}")
    argv += ("--exclude=./var/cache/apt/*", "--exclude=./var/lib/apt/lists/*", ".")
    subprocess.run(argv, check=True)
    docker("import", str(archive), name, timeout=BUILD_S)
