"""The commands of `slurm-gateway`, each a module; only the one that is typed is imported."""

import argparse
from collections.abc import Callable

from waldur_slurm.gateway.composition import Parts

Command = Callable[[Parts, argparse.Namespace], int]


def find(name: str | None) -> Command:
    match name:
        case "check":
            from waldur_slurm.gateway.commands import check

            return check.run
        case "settings":
            from waldur_slurm.gateway.commands import settings

            return settings.run
        case "import":
            from waldur_slurm.gateway.commands import take_over

            return take_over.run
        case "letter":
            from waldur_slurm.gateway.commands import letter

            return letter.run
        case "token":
            from waldur_slurm.gateway.commands import token

            return token.run
        case _:
            from waldur_slurm.gateway.commands import serve

            return serve.run
