"""`python3 -m sandbox slurm ...`: a private Slurm from the command line. Data on stdout only."""

import argparse
import json
import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from sandbox.slurm.cluster import Cluster
from sandbox.slurm.errors import SandboxError
from sandbox.slurm.history import fill
from sandbox.slurm.history_jobs import HistoryOptions
from sandbox.slurm.options import ClusterOptions
from sandbox.slurm.site import RECORD, Site

DESCRIPTION = """\
A real private Slurm with accounting: MariaDB, munge, slurmdbd, slurmctld and slurmd nodes with
fake GPUs, in one directory, on loopback, without systemd. Several may run at once.
"""

EXAMPLES = """\
examples:
  python3 -m sandbox slurm start /tmp/lab --nodes 4 --lifetime 8h
  eval "$(python3 -m sandbox slurm env /tmp/lab)"   # then sinfo, sacctmgr, sbatch ... as usual
  python3 -m sandbox slurm history /tmp/lab --jobs 200000 --seed 1
  python3 -m sandbox slurm freeze /tmp/lab slurmdbd
  python3 -m sandbox slurm wipe /tmp/lab
"""

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def main(argv: list[str]) -> int:
    arguments = parser().parse_args(argv)
    try:
        code: int = arguments.command(arguments)
    except (SandboxError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return code


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="python3 -m sandbox slurm",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    def add(
        name: str, command: Callable[[argparse.Namespace], int], meaning: str, *, daemon: bool
    ) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=meaning, description=meaning)
        added.add_argument("directory", metavar="DIR", type=Path, help="where the cluster lives")
        if daemon:
            added.add_argument("name", metavar="NAME", help="mariadbd, munged, slurmdbd, ..., n1")
        added.set_defaults(command=command)
        return added

    add_options(add("start", start, "start it, or do nothing if it runs", daemon=False))
    add("stop", stop, "end every daemon and job; the data stays", daemon=False)
    add("status", status, "show its daemons; exit 0 if all are up", daemon=False)
    add("env", env, "print what a shell needs to talk to it", daemon=False)
    add("wipe", wipe, "stop it and remove DIR", daemon=False)
    for name, verb, meaning in (
        ("start-daemon", Cluster.start_daemon, "start one daemon"),
        ("stop-daemon", Cluster.stop_daemon, "end one daemon"),
        ("restart", Cluster.restart_daemon, "end one daemon and start it again"),
        ("freeze", Cluster.freeze, "stop one daemon's time (SIGSTOP)"),
        ("thaw", Cluster.thaw, "let a frozen daemon go on"),
        ("kill", Cluster.kill_daemon, "end one daemon as kill -9 does"),
    ):
        add(name, on_daemon(verb), meaning, daemon=True)
    add_history(add("history", history, "fill its accounting with an invented past", daemon=False))
    return top


def add_options(command: argparse.ArgumentParser) -> None:
    default = ClusterOptions()
    command.epilog = "Without options, DIR starts with those it was last started with."
    for name, read, meaning in (
        ("nodes", int, f"slurmd nodes ({default.nodes})"),
        ("cpus", int, f"CPUs that each node claims ({default.cpus})"),
        ("memory-mb", int, f"memory that each node claims ({default.memory_mb})"),
        ("gpus", int, f"fake GPUs of each node ({default.gpus})"),
        ("name", str, f"the cluster's name ({default.name})"),
        ("tcp", str, "stock: as in production; fast: without Nagle's delays (fast)"),
        ("clock-offset", duration, "shift its clock: 90d, -12h, 30m, 45s"),
        ("lifetime", duration, "end it after this time (1h)"),
        ("other-clusters", names, "further clusters in the same slurmdbd: a,b"),
        ("tres", names, f"tracked TRES ({','.join(default.tres)})"),
    ):
        command.add_argument(f"--{name}", type=read, default=argparse.SUPPRESS, help=meaning)
    command.add_argument(
        "--set", dest="slurm_conf", metavar="NAME=VALUE", action="append", type=setting,
        default=argparse.SUPPRESS, help="a setting of slurm.conf; may be repeated",
    )  # fmt: skip
    command.add_argument(
        "--no-controller", dest="with_controller", action="store_false",
        default=argparse.SUPPRESS, help="accounting only: no slurmctld, no nodes",
    )  # fmt: skip


def start(arguments: argparse.Namespace) -> int:
    chosen: dict[str, Any] = {**vars(arguments)}
    for name in ("directory", "command"):
        del chosen[name]
    if "slurm_conf" in chosen:
        chosen["slurm_conf"] = dict(chosen["slurm_conf"])
    directory = arguments.directory.resolve()
    known = (directory / RECORD).exists()
    before = Site.read(directory).options if known else ClusterOptions()
    cluster = Cluster.start(directory, replace(before, **chosen), owned=False)
    sys.stdout.write(table(cluster))
    return 0


def add_history(command: argparse.ArgumentParser) -> None:
    default = HistoryOptions()
    command.epilog = "The same options make the same history; its sums go to stdout as JSON."
    for name, read, meaning in (
        ("jobs", int, f"rows in the job table ({default.jobs})"),
        ("seed", int, f"what the chances begin with ({default.seed})"),
        ("accounts", int, f"accounts ({default.accounts})"),
        ("users", int, f"people ({default.users})"),
        ("months", int, f"whole months ({default.months})"),
        ("first-month", month, "the first of them: 2024-02"),
        ("zone", str, f"where months begin and end ({default.zone})"),
    ):
        command.add_argument(f"--{name}", type=read, default=argparse.SUPPRESS, help=meaning)


def history(arguments: argparse.Namespace) -> int:
    chosen: dict[str, Any] = {**vars(arguments)}
    for name in ("directory", "command"):
        del chosen[name]
    cluster = Cluster.attach(arguments.directory)
    made = fill(cluster, cluster.options.name, HistoryOptions(**chosen))
    json.dump(made.to_json(), sys.stdout, indent=1)
    sys.stdout.write("\n")
    return 0


def stop(arguments: argparse.Namespace) -> int:
    Cluster.attach(arguments.directory).stop()
    return 0


def status(arguments: argparse.Namespace) -> int:
    cluster = Cluster.attach(arguments.directory)
    sys.stdout.write(table(cluster))
    return 0 if set(cluster.states().values()) == {"up"} else 1


def env(arguments: argparse.Namespace) -> int:
    environ = Cluster.attach(arguments.directory).environ
    rows = (f"export {name}={shlex.quote(value)}\n" for name, value in environ.items())
    sys.stdout.write("".join(rows))
    return 0


def wipe(arguments: argparse.Namespace) -> int:
    Cluster.attach(arguments.directory).wipe()
    return 0


def on_daemon(verb: Callable[[Cluster, str], None]) -> Callable[[argparse.Namespace], int]:
    def command(arguments: argparse.Namespace) -> int:
        cluster = Cluster.attach(arguments.directory)
        if not cluster.is_running:
            raise SandboxError(f"{cluster.directory} is not running; start it first")
        verb(cluster, arguments.name)
        return 0

    return command


def table(cluster: Cluster) -> str:
    pids = cluster.pids()
    until = f"runs until {cluster.ends_at:%F %T} UTC" if pids else "is stopped"
    rows = [("DAEMON", "STATE", "PID", "PORT")]
    rows += [
        (name, state, str(pids.get(name, "-")), str(cluster.port(name) or "-"))
        for name, state in cluster.states().items()
    ]
    return f"{cluster.options.name} in {cluster.directory} {until}\n\n{aligned(rows)}"


def aligned(rows: Sequence[tuple[str, ...]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        + "\n"
        for row in rows
    )


def duration(text: str) -> timedelta:
    try:
        return timedelta(**{UNITS[text[-1:]]: int(text[:-1])})
    except (KeyError, ValueError):
        raise argparse.ArgumentTypeError(f"expected 90d, 12h, 30m or 45s, not {text!r}") from None


def names(text: str) -> tuple[str, ...]:
    return tuple(filter(None, text.split(",")))


def month(text: str) -> tuple[int, int]:
    year, _, number = text.partition("-")
    if not (year.isdecimal() and number.isdecimal() and 1 <= int(number) <= 12):
        raise argparse.ArgumentTypeError(f"expected 2024-02, not {text!r}")
    return int(year), int(number)


def setting(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"expected NAME=VALUE, not {text!r}")
    return name, value
