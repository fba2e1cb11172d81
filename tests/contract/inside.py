"""Slurm's tools inside a container of the sandbox, without its engine between."""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from sandbox.docker.cluster import ContainerCluster
from waldur_slurm.processes.native import LOCALE, NativeTransport
from waldur_slurm.processes.port import Completed

HERE = NativeTransport({"PATH": os.defpath})


@dataclass(frozen=True)
class InsideTransport:
    """Runs everything as root there. What the engine adds is tested where it is asked."""

    cluster: ContainerCluster

    def run(
        self,
        argv: tuple[str, ...],
        *,
        stdin: str = "",
        environ: Mapping[str, str] | None = None,
        timeout: timedelta | None = None,
    ) -> Completed:
        return HERE.run(self._entering(argv, environ), stdin=stdin, timeout=timeout)

    def stream(
        self,
        argv: tuple[str, ...],
        *,
        believe: Callable[[Completed], None],
        environ: Mapping[str, str] | None = None,
        timeout: timedelta | None = None,
    ) -> Iterator[str]:
        yield from HERE.stream(self._entering(argv, environ), believe=believe, timeout=timeout)

    def _entering(
        self, argv: tuple[str, ...], environ: Mapping[str, str] | None
    ) -> tuple[str, ...]:
        return self.cluster.inside.argv(*argv, environ={**LOCALE, **(environ or {})})
