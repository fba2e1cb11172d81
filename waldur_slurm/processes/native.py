"""Slurm's tools on this machine, with an environment that nothing of ours leaks into."""

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta

from waldur_slurm.processes.child import Child, Ended
from waldur_slurm.processes.output import Capture, LineCutter
from waldur_slurm.processes.port import Completed

KEPT = ("PATH", "SLURM_CONF")
LOCALE = {"LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}


class NativeTransport:
    """Runs commands here. Of `environ` only `KEPT` reaches them, of `extra` everything."""

    def __init__(
        self,
        environ: Mapping[str, str],
        *,
        extra: Mapping[str, str] | None = None,
        timeout: timedelta = timedelta(minutes=5),
        most_output: int = 256 * 1024 * 1024,
    ) -> None:
        kept = {name: environ[name] for name in KEPT if name in environ}
        self._environ = {**kept, **LOCALE, **(extra or {})}
        self._timeout = timeout
        self._most_output = most_output

    def run(
        self,
        argv: tuple[str, ...],
        *,
        stdin: str = "",
        environ: Mapping[str, str] | None = None,
        timeout: timedelta | None = None,
    ) -> Completed:
        capture = Capture(argv[0], self._most_output)
        code = -1
        for event in self._child(argv, stdin, environ, timeout).events():
            if isinstance(event, Ended):
                code = event.code
            else:
                capture.add(*event)
        return capture.completed(code)

    def stream(
        self,
        argv: tuple[str, ...],
        *,
        believe: Callable[[Completed], None],
        environ: Mapping[str, str] | None = None,
        timeout: timedelta | None = None,
    ) -> Iterator[str]:
        cutter = LineCutter(argv[0])
        errors = Capture(argv[0], self._most_output)
        for event in self._child(argv, "", environ, timeout).events():
            if isinstance(event, Ended):
                yield from cutter.rest()
                believe(errors.completed(event.code))
            elif event[0]:
                yield from cutter.cut(event[1])
            else:
                errors.add(*event)

    def _child(
        self,
        argv: tuple[str, ...],
        stdin: str,
        environ: Mapping[str, str] | None,
        timeout: timedelta | None,
    ) -> Child:
        return Child(
            argv,
            stdin=stdin.encode(),
            environ={**self._environ, **(environ or {})},
            timeout=timeout or self._timeout,
        )
