"""What can be typed after `slurm-gateway`."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from waldur_slurm import __version__


def parse(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="slurm-gateway",
        description="HTTP in front of Slurm. Without a command it serves.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    parser.add_argument(
        "--env-file", type=Path, metavar="FILE", help="read variables from FILE first"
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    commands.add_parser("settings", help="show what is in force")
    return parser.parse_args(argv)
