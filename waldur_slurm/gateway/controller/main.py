"""slurm-controller's command line: a gateway of its own, with the original's routes and no others.

Its process, its account and what it remembers are apart from any other gateway's. It reads the
environment by itself, and takes little of it.
"""

import os
import sys
from collections.abc import Iterable, Mapping, Sequence

from waldur_slurm.errors import ExpectedError, SlurmError
from waldur_slurm.gateway.controller.account import find_account
from waldur_slurm.gateway.controller.arguments import Asked, parse
from waldur_slurm.gateway.main import not_installed
from waldur_slurm.service.program import run_program


def main(argv: Sequence[str] | None = None) -> int:
    hidden: list[str] = []
    return run_program(
        "slurm-controller",
        lambda: parse(sys.argv[1:] if argv is None else argv),
        lambda asked: _run(asked, os.environ),
        _advice,
        hidden,
    )


def _run(asked: Asked, environ: Mapping[str, str]) -> int:
    account = find_account()
    try:
        from waldur_slurm.gateway.controller import serving
    except ModuleNotFoundError as error:
        raise not_installed(error) from error
    return serving.run(asked, environ, account)


def _advice(_asked: Asked, error: ExpectedError) -> Iterable[str]:
    if isinstance(error, SlurmError):
        yield "`sinfo` and `scontrol ping`, as this account, show whether Slurm answers"


if __name__ == "__main__":
    sys.exit(main())
