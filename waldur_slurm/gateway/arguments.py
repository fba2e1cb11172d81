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
    return parser.parse_args(argv)
