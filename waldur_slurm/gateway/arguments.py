"""What can be typed after `slurm-gateway`."""

import argparse
import re
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

from waldur_slurm import __version__
from waldur_slurm.gateway.apps.app import uuid_of
from waldur_slurm.gateway.cli.arguments import add_commands, add_job_token
from waldur_slurm.gateway.doors.principals import RunAs, run_as
from waldur_slurm.gateway.doors.scopes import Scope, scope
from waldur_slurm.gateway.post.letter import Method, method_of
from waldur_slurm.variables.readers import duration, listing, whole

T = TypeVar("T")

_DESCRIPTION = """\
HTTP in front of Slurm: one picture of the cluster for all who ask. Without a
command it serves, at GATEWAY_LISTEN. All settings are environment variables:
see docs/gateway-settings.md. Commands such as jobs and submit ask a gateway,
wherever it is: GATEWAY_URL and GATEWAY_TOKEN say which, and as whom.
"""

_EPILOG = """\
examples:
  slurm-gateway --env-file /etc/slurm-gateway/slurm-gateway.env check
      what is in order, and what to do about the rest; as the gateway's user
  slurm-gateway --env-file /etc/slurm-gateway/slurm-gateway.env settings
      what is in force, with a warning for each name that has no effect
  slurm-gateway token make --name portal --scopes cluster:read,jobs:read:all
      a token that may see the cluster and everybody's jobs for 90 days
  slurm-gateway -c config.yml
      serve Slurm RestAPI's clients, or Slurmer's, by its own configuration
  slurm-gateway token list
      all tokens: until when each is valid, and when it was last used
  slurm-gateway token revoke ID
      let one end now
  slurm-gateway letter test --method email --to ann@example.org
      send a letter by the settings of mail, and say whether it was taken
  slurm-gateway
      serve, as systemd runs it
  slurm-gateway submit --time 30:00 --wait job.sh
      at a terminal, on any machine: a job, by the gateway at GATEWAY_URL with
      the token in GATEWAY_TOKEN; jobs, show, tail and so on likewise

Tokens and letters lie in GATEWAY_STATE_DIR: type these as the gateway's user.

exit codes: 0 well, 1 failed, 2 wrong usage, 65 refused, 66 no such job, 69 no
gateway there, 75 try again later (it or Slurm is silent, an address is taken),
77 not allowed, 78 wrong settings, 130 stopped; those of `wait` and `submit
--wait` say how the job ended: 0 well, 1 failed, 3 out of time, 4 cancelled,
5 out of memory, 6 its node failed or it was preempted, 7 not known how, 8 not
over yet
"""


def parse(argv: Sequence[str]) -> argparse.Namespace:
    return build().parse_args(argv)


def build() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="slurm-gateway",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"slurm-gateway {__version__}")
    _add_env_file(parser)
    parser.add_argument(
        "-c",
        "--config",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="a configuration file of Slurm RestAPI or Slurmer, as it is; may come several times",
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    check = commands.add_parser("check", help="judge whether all is in order; changes nothing")
    check.add_argument(
        "--as",
        dest="user",
        metavar="USER",
        help="whom the hand is to be tried as; by default somebody whom hand.conf lists",
    )
    _add_json(check)
    settings = commands.add_parser("settings", help="show every setting that is in force")
    _add_json(settings)
    take_over = commands.add_parser("import", help="take over what an original has kept")
    take_over.add_argument(
        "what",
        choices=["restapi", "slurmer"],
        help="Slurm RestAPI's archive of the load, or Slurmer's jobs",
    )
    take_over.add_argument(
        "files", type=Path, metavar="FILE", nargs="+", help="db.json, or config.yml slurmer.db"
    )
    take_over.add_argument("--cluster", help="whose load it is; the default cluster otherwise")
    for command in (check, settings, take_over):
        _add_env_file(command, default=argparse.SUPPRESS)
    _add_token(commands.add_parser("token", help="make, list, rotate and revoke tokens"))
    add_commands(commands)
    _add_letter(
        commands.add_parser("letter", help="send one to try it, and list what became of all")
    )
    return parser


def _add_env_file(parser: argparse.ArgumentParser, default: str | None = None) -> None:
    """It may stand before the command or after it."""
    parser.add_argument(
        "--env-file",
        type=Path,
        default=default,
        metavar="FILE",
        help="take settings from this file too; it wins over the environment",
    )


def _add_json(command: argparse.ArgumentParser) -> None:
    command.add_argument("--json", action="store_true", help="print JSON instead of a table")


def _add_token(token: argparse.ArgumentParser) -> None:
    verbs = token.add_subparsers(dest="verb", metavar="VERB", required=True)
    make = verbs.add_parser("make", help="make one; it is shown this once")
    make.add_argument(
        "--name", type=_typed(_name), required=True, help="what it is for, such as the portal's"
    )
    allows = make.add_mutually_exclusive_group(required=True)
    allows.add_argument("--app", type=_typed(_app), metavar="UUID", help="it opens this app alone")
    allows.add_argument(
        "--scopes",
        type=_typed(_scopes),
        default=frozenset(),
        help="what it allows, separated by commas, such as jobs:read,jobs:submit",
    )
    make.add_argument(
        "--run-as",
        type=_typed(_actors),
        default="",
        metavar="USERS",
        help="whom it acts for: names, @groups or any, separated by commas; nobody by default, with"
        " --app anybody",
    )
    make.add_argument(
        "--expires",
        type=_typed(_lifetime),
        default="90d",
        metavar="TIME",
        help="how long it is valid, such as 90d or 12h, or never; 90d by default",
    )
    listed = verbs.add_parser("list", help="list all of them, without what makes them valid")
    _add_json(listed)
    rotate = verbs.add_parser("rotate", help="make one alike, and let the old one end")
    rotate.add_argument("id", metavar="ID")
    rotate.add_argument(
        "--grace",
        type=_typed(duration()),
        default="1d",
        metavar="TIME",
        help="how long the old one is still valid; 1d by default",
    )
    add_job_token(verbs)
    revoke = verbs.add_parser("revoke", help="let tokens end now; a running gateway notices")
    revoke.add_argument("id", metavar="ID", nargs="+")
    for name, verb in verbs.choices.items():
        if name != "job":
            _add_env_file(verb, default=argparse.SUPPRESS)


def _add_letter(letter: argparse.ArgumentParser) -> None:
    verbs = letter.add_subparsers(dest="verb", metavar="VERB", required=True)
    tried = verbs.add_parser("test", help="send one, and say what became of it")
    tried.add_argument(
        "--method",
        type=_typed(_method),
        required=True,
        help=f"the way that it goes: {', '.join(Method)}, which is the log",
    )
    tried.add_argument(
        "--to",
        default="",
        help="an address of e-mail, channel of Slack, queue, target of Apprise, or program's URL",
    )
    listed = verbs.add_parser("list", help="list the newest ones, and why any was not taken")
    listed.add_argument("--last", type=_typed(whole(1, 100_000)), default="50", metavar="N")
    _add_json(listed)
    for verb in verbs.choices.values():
        _add_env_file(verb, default=argparse.SUPPRESS)


def _method(text: str) -> Method:
    """Read a way; where it goes is said beside it, so `apprise:ops` is none here."""
    try:
        method, parameters = method_of(text.lower(), {})
    except ValueError:
        parameters = {"": ""}
    if parameters:
        raise ValueError(" or ".join(Method))
    return method


def _typed(read: Callable[[str], T]) -> Callable[[str], T]:
    """Let a reader's words follow "expected" here too."""

    def typed(text: str) -> T:
        try:
            return read(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(f"{text[:80]!a}: expected {error}") from None

    return typed


def _actors(text: str) -> RunAs:
    found = run_as(text)
    if "root" in found.users:
        raise ValueError("users other than root, who is never acted as")
    return found


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


def _app(text: str) -> str:
    found = uuid_of(text)
    if found is None:
        raise ValueError("the UUID of an app")
    return found
