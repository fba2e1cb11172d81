"""Slurm's tools and daemons with a switch: at the n-th command something goes wrong on purpose."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from threading import Timer
from typing import Any, Literal

from sandbox.slurm import Cluster
from waldur_slurm.processes.native import NativeTransport
from waldur_slurm.processes.port import Completed

Call = int | Literal["all"]

BOUND = timedelta(seconds=3)
INSTEAD: Mapping[str, tuple[str, ...]] = {
    "missing": ("/nonexistent/sacctmgr",),
    "fails": ("sh", "-c", "echo 'error: something is wrong' >&2; exit 1"),
    "fails silently": ("sh", "-c", "exit 1"),
    "says nothing": ("true",),
    "rubbish": ("head", "-c", "300", "/dev/urandom"),
    "hangs": ("sleep", "300"),
    "floods": ("yes", "a line of many"),
    "is killed": ("sh", "-c", "printf 1; kill -9 $$"),
}
"""What runs in the place of the command."""


def _half_a_line(text: str) -> str:
    """Half the lines, and half of the one that follows."""
    lines = text.splitlines(keepends=True)
    broken = "".join(lines[len(lines) // 2 :][:1])
    return _half_the_lines(text) + broken[: len(broken) // 2]


def _half_the_lines(text: str) -> str:
    lines = text.splitlines(keepends=True)
    return "".join(lines[: len(lines) // 2])


CUT: Mapping[str, Callable[[str], str]] = {
    "half a line": _half_a_line,
    "half the lines": _half_the_lines,
}
"""What of its output arrives."""

MODES = (*INSTEAD, *CUT)


class FaultyTools(NativeTransport):
    """Carries commands, but for the one whose turn it is; then `before` may act first."""

    def __init__(
        self,
        cluster: Cluster,
        mode: str = "",
        at: Call = "all",
        before: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(
            {**cluster.environ, "PATH": "/usr/bin:/bin"}, timeout=BOUND, most_output=1_000_000
        )
        self.commands = 0
        self._mode = mode
        self._at = at
        self._before = before

    def run(self, argv: tuple[str, ...], **more: Any) -> Completed:
        is_turn = self._is_turn()
        done = super().run(INSTEAD.get(self._mode, argv) if is_turn else argv, **more)
        return replace(done, out=self._arriving(done.out)) if is_turn else done

    def stream(self, argv: tuple[str, ...], **more: Any) -> Iterator[str]:
        """Records are never cut between two of them: sacct prints all that there are or none."""
        is_turn = self._is_turn()
        lines = super().stream(INSTEAD.get(self._mode, argv) if is_turn else argv, **more)
        if not (is_turn and self._mode in CUT):
            return lines
        return iter(_half_a_line("".join(f"{line}\n" for line in lines)).splitlines())

    def _is_turn(self) -> bool:
        self.commands += 1
        is_turn = self._at in ("all", self.commands)
        if is_turn:
            self._before()
        return is_turn

    def _arriving(self, text: str) -> str:
        return CUT[self._mode](text) if self._mode in CUT else text


class Trouble:
    """One daemon, and what befalls it; `end` brings it back."""

    def __init__(self, cluster: Cluster, daemon: str, kind: str) -> None:
        self._cluster = cluster
        self._daemon = daemon
        self._kind = kind
        self._thaw: Timer | None = None
        self._has_begun = False

    def begin(self) -> None:
        if self._has_begun:
            return
        self._has_begun = True
        match self._kind:
            case "down":
                self._cluster.stop_daemon(self._daemon)
            case "restarted":
                self._cluster.kill_daemon(self._daemon)
                self._cluster.start_daemon(self._daemon)
            case "slow":
                self._cluster.freeze(self._daemon)
                self._thaw = Timer(1.0, self._cluster.thaw, (self._daemon,))
                self._thaw.start()
            case _:
                self._cluster.freeze(self._daemon)

    def end(self) -> None:
        if not self._has_begun:
            return
        if self._thaw is not None:
            self._thaw.join()
        elif self._kind == "down":
            self._cluster.start_daemon(self._daemon)
        elif self._kind == "frozen":
            self._cluster.thaw(self._daemon)
