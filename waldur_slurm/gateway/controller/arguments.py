"""What can be typed after `slurm-controller`: the original's one option, and what is new."""

import argparse
import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from waldur_slurm import __version__

PORT = 8080
HOST = "127.0.0.1"

_DESCRIPTION = """\
HTTP in front of Slurm's commands, for job companions on this machine: POST
/sbatch, GET /sacct/ID, /scancel/ID and /open?path=FILE. It is one account, the
one that starts it: whoever asks from this machine acts as that account, so give
it one of its own. Jobs run in the folder where it is started, and files below
that folder are read.
"""

_EPILOG = """\
examples:
  slurm-controller
      serve this machine at 127.0.0.1:8080, in this folder
  slurm-controller -port 8090 -root /scratch/results
      at another port, with the files of one more folder
  slurm-controller -token pods
      make a token for who asks from other machines, valid for 90 days
  slurm-controller -host 10.0.0.5 -certificate tls.pem -key tls.key -api
      serve other machines too, an operator in a pod among them: by TLS, and with
      a token only

SLURM_CONF and SLURM_BIN_PATH say where Slurm is, GATEWAY_LOG_LEVEL and
GATEWAY_LOG_FORMAT how much is told: see docs/operator.md.

exit codes: 0 well, 1 failed, 2 wrong usage, 75 try again later (Slurm is silent,
the port is taken), 78 not as this account or not like this, 130 stopped
"""


@dataclass(frozen=True, slots=True)
class Asked:
    """What was typed; `token` is the name of one to make, instead of serving."""

    host: str
    port: int
    roots: tuple[str, ...]
    state: Path | None
    certificate: Path | None
    key: Path | None
    with_api: bool
    token: str


def parse(argv: Sequence[str]) -> Asked:
    parser = build()
    typed = parser.parse_args(argv)
    if typed.key and not typed.certificate:
        parser.error("-key goes with -certificate")
    if not typed.certificate and not ip_address(typed.host).is_loopback:
        parser.error(f"-host {typed.host} is not loopback: it takes -certificate, and a token")
    return Asked(
        host=typed.host,
        port=typed.port,
        roots=tuple(typed.root),
        state=typed.state,
        certificate=typed.certificate,
        key=typed.key,
        with_api=typed.api,
        token=typed.token or "",
    )


def build() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="slurm-controller",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"slurm-controller {__version__}")
    _add(parser, "port", type=_port, default=PORT, help=f"the port; {PORT} by default")
    _add(
        parser,
        "host",
        type=_host,
        default=HOST,
        metavar="ADDRESS",
        help=f"the address; {HOST} by default, which only this machine reaches",
    )
    _add(
        parser,
        "root",
        type=_root,
        action="append",
        default=[],
        metavar="FOLDER",
        help="files below it are read too; may come several times",
    )
    _add(
        parser,
        "state",
        type=_path,
        metavar="FOLDER",
        help="what it remembers; ~/.local/state/slurm-controller/PORT by default",
    )
    _add(parser, "certificate", type=_path, metavar="FILE", help="for TLS, with its chain")
    _add(parser, "key", type=_path, metavar="FILE", help="its key, where that lies by itself")
    _add(
        parser,
        "api",
        action="store_true",
        help="serve the gateway's own API too, which an operator asks",
    )
    _add(
        parser,
        "token",
        type=_name,
        metavar="NAME",
        help="make a token of that name, and end",
    )
    return parser


def _add(parser: argparse.ArgumentParser, name: str, **more: object) -> None:
    """Take `-name` as the original did, and `--name`."""
    parser.add_argument(f"-{name}", f"--{name}", **more)  # type: ignore[arg-type]  # argparse's own


def _port(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text) <= 65_535:
        raise argparse.ArgumentTypeError("expected a number from 1 to 65535")
    return int(text)


def _host(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError:
        raise argparse.ArgumentTypeError("expected an address such as 127.0.0.1") from None


def _root(text: str) -> str:
    if not text.startswith("/") or text.strip("/") == "":
        raise argparse.ArgumentTypeError("expected an absolute path of a folder, and not of all")
    return text


def _name(text: str) -> str:
    if re.fullmatch(r"[\w.:@/ -]{1,64}", text) is None:
        raise argparse.ArgumentTypeError("expected letters, digits, blanks and . : @ / _ -")
    return text


def _path(text: str) -> Path:
    return Path(text).absolute()
