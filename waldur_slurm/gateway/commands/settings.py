"""`slurm-gateway settings`: what is in force."""

import argparse
import sys

from waldur_slurm.gateway.composition import Parts


def run(parts: Parts, _arguments: argparse.Namespace) -> int:
    for name, value in parts.settings.shown():
        sys.stdout.write(f"{name}={value}\n")
    return 0
