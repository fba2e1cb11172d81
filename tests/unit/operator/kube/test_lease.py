"""One of several operators works, the next one after it is gone, and none stops for a silence."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from waldur_slurm.operator.errors import ChangedMeanwhile, Gone, KubeError, NotAllowed, Silent
from waldur_slurm.operator.kube.lease import LASTS_S, RENEWED_S, Lease
from waldur_slurm.telemetry.events import Event


@dataclass
class LeaseServer:
    """The one Lease at an API server, and the time by which its clients go."""

    lease: dict[str, Any] | None = None
    fails: KubeError | None = None
    now: float = 1000.0
    writes: int = 0
    told: list[Event] = field(default_factory=list)

    def get(self, path: str) -> dict[str, Any]:
        self._reach()
        if self.lease is None:
            raise Gone(f"{path} not found")
        return {**self.lease, "metadata": {**self.lease["metadata"]}}

    def post(self, _path: str, body: dict[str, Any]) -> None:
        self._reach()
        if self.lease is not None:
            raise ChangedMeanwhile("it is there already")
        self._write(body["spec"])

    def patch(self, _path: str, body: dict[str, Any]) -> None:
        self._reach()
        assert self.lease is not None
        if body["metadata"]["resourceVersion"] != self.lease["metadata"]["resourceVersion"]:
            raise ChangedMeanwhile("it was changed meanwhile")
        self._write({**self.lease["spec"], **body["spec"]})

    def client(self, me: str) -> Lease:
        return Lease(self, "slurm", "operator", me, self.told.append, lambda: self.now)  # type: ignore[arg-type]  # all of Talk that it asks

    def _write(self, spec: dict[str, Any]) -> None:
        self.writes += 1
        self.lease = {"metadata": {"resourceVersion": str(self.writes)}, "spec": spec}

    def _reach(self) -> None:
        if self.fails:
            raise self.fails


def test_the_first_one_holds_it_and_renews_it_now_and_then() -> None:
    server = LeaseServer()
    one = server.client("one")
    assert one.hold()
    assert one.hold()
    assert server.writes == 1

    server.now += RENEWED_S
    assert one.hold()
    assert server.writes == 2


def test_the_second_one_waits_until_the_first_is_gone_for_long_enough() -> None:
    server = LeaseServer()
    one, two = server.client("one"), server.client("two")
    assert one.hold()
    for _ in range(5):
        server.now += RENEWED_S
        assert (one.hold(), two.hold()) == (True, False)

    server.now += LASTS_S
    assert two.hold()
    assert one.hold() is False


def test_who_stops_leaves_it_to_the_next_one_at_once() -> None:
    server = LeaseServer()
    one, two = server.client("one"), server.client("two")
    one.hold()
    assert not two.hold()
    one.let_go()

    assert two.hold()


@pytest.mark.parametrize("held", [True, False])
def test_while_the_server_is_silent_nothing_changes_about_who_works(held: bool) -> None:
    server = LeaseServer()
    one, two = server.client("one"), server.client("two")
    one.hold()
    two.hold()
    server.fails = Silent("nobody answered")
    server.now += LASTS_S

    assert (one if held else two).hold() is held


def test_who_may_not_use_it_works_without_and_says_so_once() -> None:
    server = LeaseServer(fails=NotAllowed("leases is forbidden"))
    one = server.client("one")
    for _ in range(3):
        assert one.hold()
        server.now += RENEWED_S

    assert [each.name for each in server.told] == ["lease.refused", "lease.held"]
