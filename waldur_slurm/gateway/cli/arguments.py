"""The commands for people at a terminal: what can be typed after each."""

import argparse
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from waldur_slurm.errors import InvalidName
from waldur_slurm.gateway.cli.submit_options import add_submit_options
from waldur_slurm.model.batch import job_id
from waldur_slurm.variables.readers import duration, whole

T = TypeVar("T")

Parser = argparse.ArgumentParser

_SCOPES = ("output:read", "files:read", "jobs:read")


class Commands:
    """Where commands are added, each with what it asks the gateway for."""

    def __init__(self, commands: "argparse._SubParsersAction[Parser]") -> None:
        self._commands = commands

    def add(self, name: str, says: str, asks: str = "", *, patience: str = "10s") -> Parser:
        """Add one; `asks` is the module and the function that carry it out."""
        parser = self._commands.add_parser(name, help=says, description=says, allow_abbrev=False)
        parser.set_defaults(asks=asks or name)
        where = parser.add_argument_group("which gateway")
        where.add_argument("--url", help="its address; GATEWAY_URL otherwise")
        where.add_argument("--token-file", metavar="FILE", help="GATEWAY_TOKEN_FILE otherwise")
        where.add_argument("--cluster", metavar="NAME", help="its default one otherwise")
        where.add_argument("--cacert", metavar="FILE", help="the certificates to trust")
        where.add_argument(
            "--patience",
            type=typed(duration()),
            default=patience,
            metavar="TIME",
            help=f"how long to ask again while it does not answer; {patience} by default",
        )
        return parser


def add_commands(subparsers: "argparse._SubParsersAction[Parser]") -> None:
    commands = Commands(subparsers)
    _add_lists(commands)
    _add_of_a_job(commands)
    _add_files(commands)
    submit = commands.add("submit", "hand a job in, once", patience="2m")
    add_submit_options(submit)
    _add_waiting(submit)
    add_json(submit)


def add_job_token(verbs: "argparse._SubParsersAction[Parser]") -> None:
    """Add the one verb of `token` that asks a gateway, wherever it is."""
    token = Commands(verbs).add(
        "job", "ask a gateway for a token that reads one job's output or files", "job_token"
    )
    _add_job(token)
    token.add_argument(
        "--scopes",
        type=typed(_scopes),
        default="output:read",
        help=f"what it opens: {', '.join(_SCOPES)}; output:read by default",
    )
    token.add_argument(
        "--expires",
        type=typed(duration(timedelta(minutes=1))),
        default="1d",
        metavar="TIME",
        help="how long it is valid, a week at most; 1d by default",
    )


def _add_lists(commands: Commands) -> None:
    jobs = commands.add("jobs", "list jobs that wait, run, or ended a moment ago")
    history = commands.add("history", "list jobs of the accounting, the newest first")
    for parser in (jobs, history):
        _add_filters(parser)
        add_json(parser)
        _add_csv(parser)
    jobs.add_argument("--node", default="", metavar="NAME", help="jobs on these nodes")
    jobs.add_argument("--sort", default="", metavar="NAME", help="such as priority or -cpus")
    jobs.add_argument(
        "--limit",
        type=typed(whole(0, 10**9)),
        default="0",
        metavar="N",
        help="at most so many; all by default",
    )
    history.add_argument(
        "--since", type=typed(_moment), default="7d", metavar="TIME", help="such as 7d, 2026-11-01"
    )
    history.add_argument("--until", type=typed(_moment), default="", metavar="TIME")
    history.add_argument(
        "--limit",
        type=typed(whole(0, 10**9)),
        default="100",
        metavar="N",
        help="at most so many; 100 by default, 0 for all",
    )
    history.add_argument(
        "--efficiency", action="store_true", help="what each used of what it held; takes longer"
    )
    for name, says in (
        ("nodes", "list nodes, what is in use of each, and why any is out of service"),
        ("usage", "list partitions, and what is in use of each"),
    ):
        parser = commands.add(name, says)
        add_json(parser)
        _add_csv(parser)
    add_json(commands.add("me", "show who you are to the gateway, and what you may do"))


def _add_of_a_job(commands: Commands) -> None:
    show = commands.add("show", "show a job: why it waits, where it runs, what it used")
    _add_job(show)
    show.add_argument("--why", action="store_true", help="only why it waits and when it may start")
    add_json(show)
    wait = commands.add("wait", "wait for a job; the exit code says how it ended", patience="2m")
    _add_job(wait)
    _add_waiting(wait)
    wait.add_argument("--until", choices=("terminal", "started"), default="terminal")
    add_json(wait)
    tail = commands.add("tail", "show the end of a job's output, or follow it", patience="2m")
    _add_job(tail)
    tail.add_argument("-f", "--follow", action="store_true", help="until the job is over")
    tail.add_argument(
        "-n", "--lines", type=typed(_lines), default="10", metavar="N", help="or all; 10 by default"
    )
    tail.add_argument("--err", action="store_true", help="its errors, where they go elsewhere")
    tail.add_argument("--raw", action="store_true", help="escape nothing, not even on a terminal")
    cancel = commands.add("cancel", "cancel jobs, or send them a signal", patience="2m")
    cancel.add_argument("--signal", default="", metavar="NAME", help="such as USR1; they go on")
    _add_meant(cancel)
    for name, says in (
        ("hold", "keep jobs from being started"),
        ("release", "let held jobs be started"),
    ):
        _add_meant(commands.add(name, says, "steer"))


def _add_files(commands: Commands) -> None:
    says = "list or get the files of a job's folder"
    parser = commands._commands.add_parser("files", help=says, description=says)
    verbs = Commands(parser.add_subparsers(dest="verb", metavar="VERB", required=True))
    listed = verbs.add("list", "list them", "files_list")
    _add_job(listed)
    listed.add_argument("glob", nargs="?", default="*", metavar="GLOB", help="such as 'out/*.csv'")
    add_json(listed)
    _add_csv(listed)
    get = verbs.add("get", "get some; what was cut off goes on", "files_get", patience="2m")
    _add_job(get)
    get.add_argument("paths", nargs="+", metavar="PATH", help="a path, or a pattern of them")
    get.add_argument("--into", default=".", metavar="DIRECTORY", help="here by default")
    get.add_argument("--force", action="store_true", help="overwrite what is there")


def _add_job(parser: Parser) -> None:
    parser.add_argument("job", type=typed(_job), metavar="JOB", help="such as 4711 or 4711_7")


def _add_meant(parser: Parser) -> None:
    parser.add_argument("jobs", type=typed(_job), nargs="+", metavar="JOB")
    parser.add_argument("--mark", default="", help="only if it has this mark")
    parser.add_argument(
        "--submitted",
        type=typed(_known_moment),
        metavar="TIME",
        help="only if it was submitted then; numbers come again",
    )


def _add_waiting(parser: Parser) -> None:
    parser.add_argument(
        "--timeout",
        type=typed(duration()),
        metavar="TIME",
        help="how long to wait, such as 90s, 15m or 24h; for ever by default",
    )


def _add_filters(parser: Parser) -> None:
    for short, name in (
        ("-u", "user"),
        ("-A", "account"),
        ("-p", "partition"),
        ("-q", "qos"),
        ("-t", "state"),
        ("-n", "name"),
    ):
        parser.add_argument(short, f"--{name}", default="", help="several with commas")


def add_json(parser: Parser) -> None:
    parser.add_argument("--json", action="store_true", help="print what the API says")


def _add_csv(parser: Parser) -> None:
    parser.add_argument("--csv", action="store_true", help="print CSV, times in UTC")


def typed(read: Callable[[str], T]) -> Callable[[str], T]:
    """Let a reader's words follow "expected"."""

    def read_typed(text: str) -> T:
        try:
            return read(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(f"{text[:80]!a}: expected {error}") from None

    return read_typed


def _job(text: str) -> str:
    try:
        return str(job_id(text))
    except InvalidName:
        raise ValueError("the number of a job, such as 4711, 4711_7 or 4711+1") from None


def _lines(text: str) -> int | None:
    return None if text == "all" else whole(0, 10**6)(text)


def _scopes(text: str) -> tuple[str, ...]:
    found = tuple(filter(None, text.split(",")))
    if not found or not {*found} <= {*_SCOPES}:
        raise ValueError(f"some of {', '.join(_SCOPES)}, separated by commas")
    return found


def _moment(text: str) -> datetime | str:
    """Read a time; one such as 7d is so long ago. Without a zone it is local."""
    if not text:
        return ""
    try:
        return datetime.now(UTC) - duration()(text)
    except ValueError:
        return _known_moment(text)


def _known_moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).astimezone()
    except ValueError:
        raise ValueError("a time such as 2026-11-30T12:00:00, a day, or 7d") from None
