"""`python3 -m sandbox kube ...`: a Kubernetes from the command line. Data on stdout only."""

import argparse
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

from sandbox.kube.bed import Bed
from sandbox.kube.place import BedOptions
from sandbox.kube.programs import programs
from sandbox.slurm.cli import aligned, duration
from sandbox.slurm.errors import SandboxError

DESCRIPTION = """\
A real private Kubernetes: API server, etcd, controllers and scheduler, in one directory, on
loopback, without systemd. Several may run at once.
"""

EXAMPLES = """\
examples:
  python3 -m sandbox kube build                     # once; `make setup` does it as well
  python3 -m sandbox kube start /tmp/kube --lifetime 8h
  eval "$(python3 -m sandbox kube env /tmp/kube)"   # then kubectl as usual
  python3 -m sandbox kube kill /tmp/kube kube-apiserver
  python3 -m sandbox kube wipe /tmp/kube
"""


ON_ONE_PART: dict[str, tuple[Callable[[Bed, str], None], str]] = {
    "start-daemon": (Bed.start_daemon, "start one part"),
    "restart": (Bed.restart_daemon, "kill one part and start it again"),
    "kill": (Bed.kill_daemon, "end one part as kill -9 does"),
    "freeze": (Bed.freeze, "stop one part's time (SIGSTOP)"),
    "thaw": (Bed.thaw, "let a frozen part go on"),
}
"""What can be done to one part of it."""


def main(argv: list[str]) -> int:
    arguments = parser().parse_args(argv)
    try:
        code: int = arguments.command(arguments)
    except SandboxError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return code


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="python3 -m sandbox kube",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    commands.add_parser("build", help="build its programs, if they are not there").set_defaults(
        command=build
    )

    def add(
        name: str, command: Callable[[argparse.Namespace], int], meaning: str
    ) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=meaning, description=meaning)
        added.add_argument("directory", metavar="DIR", type=Path, help="where it lives")
        added.set_defaults(command=command)
        return added

    started = add("start", start, "start it, or do nothing if it runs")
    started.add_argument("--lifetime", type=duration, help="end it after this time (1h)")
    started.add_argument(
        "--bare", action="store_true", help="the API server and its store, nothing else"
    )
    started.add_argument("--with-node", action="store_true", help="a node as well, which runs pods")
    add("stop", stop, "end all of it; what it stored stays")
    add("status", status, "show its parts; exit 0 if all are up")
    add("env", env, "print what a shell needs to talk to it")
    add("wipe", wipe, "stop it and remove DIR")
    for name, (verb, meaning) in ON_ONE_PART.items():
        add(name, on_daemon(verb), meaning).add_argument(
            "name", metavar="NAME", help="etcd, kube-apiserver, ..."
        )
    return top


def build(_arguments: argparse.Namespace) -> int:
    sys.stdout.write(f"{programs()}\n")
    return 0


def start(arguments: argparse.Namespace) -> int:
    default = BedOptions()
    lifetime_s = arguments.lifetime.total_seconds() if arguments.lifetime else default.lifetime_s
    options = BedOptions(not arguments.bare, arguments.with_node, lifetime_s)
    bed = Bed.start(arguments.directory, options, owned=False)
    sys.stdout.write(table(bed))
    return 0


def stop(arguments: argparse.Namespace) -> int:
    Bed.attach(arguments.directory).stop()
    return 0


def status(arguments: argparse.Namespace) -> int:
    bed = Bed.attach(arguments.directory)
    sys.stdout.write(table(bed))
    return 0 if set(bed.states().values()) == {"up"} else 1


def env(arguments: argparse.Namespace) -> int:
    kubeconfig = Bed.attach(arguments.directory).kubeconfig
    sys.stdout.write(f"export KUBECONFIG={shlex.quote(str(kubeconfig))}\n")
    return 0


def wipe(arguments: argparse.Namespace) -> int:
    Bed.attach(arguments.directory).wipe()
    return 0


def on_daemon(verb: Callable[[Bed, str], None]) -> Callable[[argparse.Namespace], int]:
    def command(arguments: argparse.Namespace) -> int:
        bed = Bed.attach(arguments.directory)
        if not bed.is_running:
            raise SandboxError(f"{bed.place.directory} is not running; start it first")
        verb(bed, arguments.name)
        return 0

    return command


def table(bed: Bed) -> str:
    pids = bed.pids()
    until = f"runs until {bed.place.ends_at:%F %T} UTC" if pids else "is stopped"
    rows = [("PART", "STATE", "PID")]
    rows += [(name, state, str(pids.get(name, "-"))) for name, state in bed.states().items()]
    return f"{bed.place.server} in {bed.place.directory} {until}\n\n{aligned(rows)}"
