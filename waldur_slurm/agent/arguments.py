"""What can be typed after `waldur-slurm-agent`. Pure: nothing here does anything."""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from waldur_slurm import __version__
from waldur_slurm.agent.settings import readers
from waldur_slurm.errors import InvalidName
from waldur_slurm.model.names import AccountName, account_name
from waldur_slurm.model.period import Month

_DESCRIPTION = """\
Keep a Slurm cluster's accounting and a Waldur marketplace in step. Without a
command this is the daemon: WALDUR_SYNC_DIRECTION=pull carries Waldur's orders
and members into Slurm, push carries Slurm's usage, limits and associations to
Waldur. All settings are environment variables: see docs/settings.md.
"""

_EPILOG = """\
examples:
  waldur-slurm-agent --env-file /etc/waldur-slurm-service/pull.env check
      what is in order and what is not, first of all
  waldur-slurm-agent plan
      what the next cycle would change; changes nothing
  waldur-slurm-agent once
      one cycle, now
  waldur-slurm-agent --load-components --dry-run
      what would be changed in the offering's components, by the TRES file
  waldur-slurm-agent usage --month 2026-11 --by user
      what was used, and what Waldur holds of it
  waldur-slurm-agent backfill --from 2026-01 --to 2026-10 --dry-run
      what would be reported for months that are over
  waldur-slurm-agent
      the daemon, as systemd and Docker run it

exit codes: 0 well, 1 failed, 2 wrong usage, 75 try again later, 78 wrong
settings, 130 stopped; plan: 0 nothing to do, 10 changes, 11 drift only
"""


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Read the command line; what is wrong with it ends the program with 2.

    `command` is None for the daemon, and set for the two that are spelled as options.
    """
    parser = build()
    arguments = parser.parse_args(argv)
    for is_wrong, message in _contradictions(arguments):
        if is_wrong:
            parser.error(message)
    if arguments.diag:
        arguments.command = "check"
    elif arguments.load_components:
        arguments.command = "load-components"
        arguments.dry_run = arguments.dry_run_of_components
    return arguments


def _contradictions(arguments: argparse.Namespace) -> Iterator[tuple[bool, str]]:
    chosen = [arguments.command is not None, arguments.load_components, arguments.diag]
    yield sum(chosen) > 1, "choose one of a command, --load-components and --diag"
    is_alone = arguments.dry_run_of_components and not arguments.load_components
    yield is_alone, "--dry-run goes with --load-components, or after backfill"
    if arguments.command in ("usage", "backfill"):
        first, last = arguments.first, arguments.last
        yield bool(first and last and first > last), "--from lies after --to"
    if arguments.command == "usage":
        yield bool(arguments.month and (first or last)), "--month excludes --from and --to"
        yield arguments.json and arguments.csv, "choose one of --json and --csv"
        is_bare = bool(arguments.acknowledge) != bool(arguments.reason)
        yield is_bare, "--acknowledge and --reason go together"


def build() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="waldur-slurm-agent",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(json=False)
    parser.add_argument("--version", action="version", version=f"waldur-slurm-agent {__version__}")
    _add_env_file(parser)
    parser.add_argument(
        "--load-components",
        action="store_true",
        help="bring the offering's components in Waldur in step with the TRES file",
    )
    parser.add_argument(
        "--dry-run",
        dest="dry_run_of_components",
        action="store_true",
        help="with --load-components: show, change nothing",
    )
    parser.add_argument("--diag", action="store_true", help="the same as check")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    _add_commands(commands)
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


def _add_commands(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
) -> None:
    check = commands.add_parser("check", help="judge settings, files, Waldur and Slurm")
    plan = commands.add_parser(
        "plan", help="show what the next cycle would change; changes nothing"
    )
    settings = commands.add_parser("settings", help="show every setting that is in force")
    _add_consent(plan)
    _add_consent(commands.add_parser("once", help="run one cycle now"))
    adopt = commands.add_parser(
        "adopt", help="say that an existing account is an allocation's own (pull)"
    )
    adopt.add_argument("resource", metavar="RESOURCE", type=_uuid, help="its UUID in Waldur")
    adopt.add_argument("account", metavar="ACCOUNT", type=_account, help="its name in Slurm")
    usage = commands.add_parser("usage", help="show what was used, and what Waldur holds of it")
    _add_usage(usage)
    _add_backfill(commands.add_parser("backfill", help="report months that are over"))
    for command in (check, plan, settings, usage):
        _add_json(command)
    for command in commands.choices.values():
        _add_env_file(command, default=argparse.SUPPRESS)


def _add_consent(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--allow-removals", action="store_true", help="pull: let the brake go for this cycle"
    )
    command.add_argument(
        "--allow-decrease", action="store_true", help="push: let reported usage fall in this cycle"
    )
    command.add_argument(
        "--remove-empty-now",
        action="store_true",
        help="pull: do not wait before an empty customer's or project's account goes",
    )
    command.add_argument(
        "--repair",
        choices=("parents", "default-associations", "missing", "erred"),
        action="append",
        default=[],
        help="pull: mend what an older agent left, or make a lost account again; push: call OK what"
        " somebody else called erred (erred); repeatable",
    )


def _add_usage(command: argparse.ArgumentParser) -> None:
    command.add_argument("--month", type=month, metavar="YYYY-MM", help="default: this month")
    command.add_argument("--from", dest="first", type=month, metavar="YYYY-MM")
    command.add_argument("--to", dest="last", type=month, metavar="YYYY-MM", help="included")
    command.add_argument("--account", action="append", default=[], type=_account, metavar="ACCOUNT")
    command.add_argument("--by", choices=("user", "day"))
    command.add_argument("--csv", action="store_true", help="print CSV instead of a table")
    command.add_argument(
        "--verify", action="store_true", help="compare with sreport, account by account"
    )
    command.add_argument(
        "--acknowledge",
        nargs=2,
        action=_MonthAndAccount,
        metavar=("YYYY-MM", "ACCOUNT"),
        help="take note of what a closed month owes; needs --reason",
    )
    command.add_argument("--reason", metavar="TEXT")


class _MonthAndAccount(argparse.Action):
    """Read the two values of `--acknowledge`."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        try:
            setattr(namespace, self.dest, (month(values[0]), _account(values[1])))
        except argparse.ArgumentTypeError as error:
            parser.error(f"{option_string}: {error}")


def _add_backfill(command: argparse.ArgumentParser) -> None:
    command.add_argument("--from", dest="first", type=month, metavar="YYYY-MM", required=True)
    command.add_argument(
        "--to", dest="last", type=month, metavar="YYYY-MM", required=True, help="included"
    )
    command.add_argument("--dry-run", action="store_true", help="show, change nothing")
    command.add_argument("--allow-decrease", action="store_true", help="let reported usage fall")


def _add_json(command: argparse.ArgumentParser) -> None:
    command.add_argument("--json", action="store_true", help="print JSON instead of a table")


def _uuid(text: str) -> str:
    try:
        return readers.uuid(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not {error}") from None


def _account(text: str) -> AccountName:
    try:
        return account_name(text)
    except InvalidName as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def month(text: str) -> Month:
    try:
        return Month.parse(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no month such as 2026-11") from None
