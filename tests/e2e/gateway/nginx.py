"""A real nginx on loopback with a block that is shipped, put to ports of its own."""

import re
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from sandbox.slurm.ports import claim_ports
from tests.e2e.gateway.gateway import Gateway
from tests.e2e.program import eventually
from tests.places import PROJECT

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin")
BLOCKS = PROJECT / "systemd-conf" / "gateway"
_TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


@dataclass(frozen=True)
class Front:
    """What a client meets: nginx, and the gateway behind it."""

    gateway: Gateway
    behind: Gateway

    def raw(self, target: str, *headers: str, source: str = "") -> bytes:
        """Ask for `target` exactly as it is written, which no client library does."""
        lines = (f"GET {target} HTTP/1.1", "Connection: close", *headers, "", "")
        with self._connection(source) as connection:
            connection.sendall("\r\n".join(lines).encode())
            return b"".join(iter(lambda: connection.recv(65_536), b""))

    def _connection(self, source: str) -> socket.socket:
        address = ("127.0.0.1", self.gateway.port)
        own = (source, 0) if source else None
        plain = socket.create_connection(address, timeout=30, source_address=own)
        tls = self.gateway.tls
        return tls.wrap_socket(plain, server_hostname="127.0.0.1") if tls else plain


@contextmanager
def nginx_before(gateway: Gateway, directory: Path, block: str) -> Iterator[Front]:
    """Run nginx with a block of systemd-conf/gateway; only addresses and files are replaced."""
    certificate = _certificate(directory)
    claimed = claim_ports(1)
    with closing(claimed.claim):
        text = (BLOCKS / block).read_text(encoding="utf-8")
        text = re.sub(r"listen \d+", f"listen 127.0.0.1:{claimed.first}", text)
        text = re.sub(r"127\.0\.0\.1:(8040|5000)", f"127.0.0.1:{gateway.port}", text)
        text = re.sub(r"(ssl_certificate(?:_key)?) .*;", rf"\1 {certificate};", text)
        conf = directory / "nginx.conf"
        conf.write_text(_whole(text, directory), encoding="utf-8")
        argv = [str(NGINX), "-e", "stderr", "-c", str(conf)]
        with (
            (directory / "nginx.log").open("wb") as log,
            subprocess.Popen(argv, stderr=log, stdin=subprocess.DEVNULL) as process,
        ):
            try:
                eventually(lambda: _listens(claimed.first), "nginx listens")
                has_tls = "ssl_certificate" in text
                trusting = ssl.create_default_context(cafile=str(certificate)) if has_tls else None
                yield Front(replace(gateway, port=claimed.first, tls=trusting), gateway)
            finally:
                process.terminate()
                process.wait(timeout=15)


def _whole(block: str, directory: Path) -> str:
    """Write what Debian's nginx.conf has around such a block; its workers are www-data too."""
    places = "".join(f"{name}_temp_path {directory}/{name};\n" for name in _TEMPORARY)
    return (
        "user www-data;\ndaemon off;\nworker_processes 1;\n"
        f"pid {directory}/nginx.pid;\nerror_log stderr;\n"
        f"events {{ worker_connections 256; }}\nhttp {{\naccess_log off;\n{places}{block}}}\n"
    )


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _certificate(directory: Path) -> Path:
    """Make one of its own, with its key in the same file."""
    file, public = directory / "nginx.pem", directory / "nginx-public.pem"
    kind = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2")
    name = ("-subj", "/CN=nginx", "-addext", "subjectAltName=IP:127.0.0.1")
    argv = ("openssl", "req", "-x509", *kind, *name, "-keyout", str(file), "-out", str(public))
    subprocess.run(argv, check=True, capture_output=True)
    file.write_bytes(file.read_bytes() + public.read_bytes())
    return file
