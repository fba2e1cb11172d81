"""What can be typed after `slurm-gateway`."""

import argparse
import re
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

from waldur_slurm import __version__
from waldur_slurm.gateway.doors.principals import run_as
from waldur_slurm.gateway.doors.scopes import Scope, scope
from waldur_slurm.variables.readers import duration, listing

T = TypeVar("T")


def parse(argv: Sequence[str]) -> argparse.Namespace:
    return build().parse_args(argv)


def build() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="slurm-gateway",
        description="HTTP in front of Slurm. Without a command it serves.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    parser.add_argument(
        "--env-file", type=Path, metavar="FILE", help="read variables from FILE first"
    )
    parser.add_argument(
        "-c",
        "--config",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="a configuration file of Slurm RestAPI, taken as it is; may come several times",
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    commands.add_parser("settings", help="show what is in force")
    take_over = commands.add_parser("import", help="take over what an original has kept")
    take_over.add_argument("what", choices=["restapi"], help="Slurm RestAPI's archive of the load")
    take_over.add_argument("file", type=Path, metavar="FILE", help="such as db.json")
    take_over.add_argument("--cluster", help="whose load it is; the default cluster otherwise")
    _add_token(commands.add_parser("token", help="make, list, rotate and revoke tokens"))
    return parser


def _add_token(token: argparse.ArgumentParser) -> None:
    verbs = token.add_subparsers(dest="verb", metavar="VERB", required=True)
    make = verbs.add_parser("make", help="make one; it is shown this once")
    make.add_argument(
        "--name", type=_typed(_name), required=True, help="what it is for, such as the portal's"
    )
    make.add_argument(
        "--scopes",
        type=_typed(_scopes),
        required=True,
        help="what it allows, separated by commas, such as jobs:read,jobs:submit",
    )
    make.add_argument(
        "--run-as",
        type=_typed(run_as),
        default="",
        metavar="USERS",
        help="whom it acts for: names, @groups or any, separated by commas; nobody by default",
    )
    make.add_argument(
        "--expires",
        type=_typed(_lifetime),
        default="90d",
        metavar="TIME",
        help="how long it is valid, such as 90d or 12h, or never; 90d by default",
    )
    listed = verbs.add_parser("list", help="list all of them, without what makes them valid")
    listed.add_argument("--json", action="store_true", help="as JSON")
    rotate = verbs.add_parser("rotate", help="make one alike, and let the old one end")
    rotate.add_argument("id", metavar="ID")
    rotate.add_argument(
        "--grace",
        type=_typed(duration()),
        default="1d",
        metavar="TIME",
        help="how long the old one is still valid; 1d by default",
    )
    revoke = verbs.add_parser("revoke", help="let tokens end now; a running gateway notices")
    revoke.add_argument("id", metavar="ID", nargs="+")


def _typed(read: Callable[[str], T]) -> Callable[[str], T]:
    """Let a reader's words follow "expected" here too."""

    def typed(text: str) -> T:
        try:
            return read(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(f"{text[:80]!a}: expected {error}") from None

    return typed


def _name(text: str) -> str:
    if re.fullmatch(r"[\w.:@/ -]{1,64}", text):
        return text
    raise ValueError("up to 64 letters, digits, blanks and . : @ / _ -")


def _scopes(text: str) -> frozenset[Scope]:
    """Read some; a token that allows nothing is a slip of the hand."""
    found = listing(scope)(text)
    if not found:
        raise ValueError(f"at least one of {', '.join(Scope)}")
    return found


def _lifetime(text: str) -> timedelta | None:
    return None if text == "never" else duration(timedelta(seconds=1))(text)
