"""What can be typed after `slurm-operator`."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from waldur_slurm import __version__

_DESCRIPTION = """\
Jobs of Slurm as objects of Kubernetes, and what its nodes carry. All settings
are environment variables: see docs/operator.md.
"""

_EPILOG = """\
examples:
  slurm-operator run
      look after SlurmJobs until it is stopped
  slurm-operator plan
      show what it would do next; exits with 10 where that is something
  slurm-operator check
      see whether it can run, and what to do where it cannot
  slurm-operator resource-daemon
      let nodes carry the labels and resources that the ConfigMap says
  slurm-operator resource-daemon --once
      do it once, and say what was done

exit codes: 0 well, 1 failed, 2 wrong usage, 10 changes are planned, 75 try again later (the API
server is silent), 78 wrong settings, 130 stopped
"""

_PLACES = (
    ("--told", "/companion", "the directory that says what is to be done, and has the token"),
    ("--into", "/collect", "where the claim is mounted"),
    ("--message", "/dev/termination-log", "the file for the last words, which the operator reads"),
)


def parse(argv: Sequence[str]) -> argparse.Namespace:
    return build().parse_args(argv)


def build() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="slurm-operator",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"slurm-operator {__version__}")
    parser.add_argument(
        "--env-file", type=Path, metavar="FILE", help="read settings from this file first"
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    commands.add_parser("run", help="look after SlurmJobs: hand them in, follow and cancel them")
    for name, what in (
        ("plan", "show what the next turns would do; changes nothing"),
        ("check", "judge everything that may be wrong; changes nothing"),
    ):
        command = commands.add_parser(name, help=what)
        command.add_argument("--json", action="store_true", help="for machines")
    daemon = commands.add_parser(
        "resource-daemon", help="give nodes the labels and resources that the site says"
    )
    daemon.add_argument("--once", action="store_true", help="once, instead of again and again")
    companion = commands.add_parser(
        "companion", help="in a pod: show a job's output as it comes, and collect its results"
    )
    for name, default, what in _PLACES:
        companion.add_argument(name, type=Path, default=default, metavar="PATH", help=what)
    return parser
