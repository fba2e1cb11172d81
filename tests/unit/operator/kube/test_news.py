"""What the store takes for news: turns are begun by what people ask for, not by what we write."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from tests.fakes.kube_jobs import FakeKube
from waldur_slurm.operator.kube.paths import JOBS
from waldur_slurm.operator.kube.store import Store
from waldur_slurm.operator.model.slurm_job import ABANDON
from waldur_slurm.telemetry.events import Event

Told = tuple[str, dict[str, Any]]


class ToldTalk:
    """A watch that tells what it was given, and then ends."""

    def __init__(self, there: list[dict[str, Any]]) -> None:
        self.there = there
        self.events: list[Told] = []

    def list(self, _path: str) -> tuple[list[dict[str, Any]], str]:
        return self.there, "0"

    def watch(self, _path: str, _version: str, _seconds: int) -> Iterator[dict[str, Any]]:
        while self.events:
            kind, found = self.events.pop(0)
            yield {"type": kind, "object": found}


class Watched:
    """A Kubernetes in memory whose changes a store hears of; `woken` is how often it rang."""

    def __init__(self) -> None:
        self.kube, self.woken, self.told = FakeKube(), 0, list[Event]()
        talk: Any = ToldTalk([])
        self.talk: ToldTalk = talk
        self.store = Store(talk, JOBS, self.wake, self.told.append)
        self.hear()

    def wake(self) -> None:
        self.woken += 1

    def hear(self, *events: Told) -> int:
        """Let it hear of them, and return how often that rang."""
        before = self.woken
        self.talk.events += events
        self.store.follow()
        return self.woken - before

    def changed(self, uid: str, kind: str = "MODIFIED") -> int:
        return self.hear((kind, copy.deepcopy(self.kube.objects[uid])))

    def added(self) -> str:
        uid = self.kube.apply()
        self.changed(uid, "ADDED")
        return uid


def test_a_new_one_is_news_and_what_its_submission_writes_is_none() -> None:
    watched = Watched()
    uid = watched.kube.apply()
    woken = [watched.changed(uid, "ADDED")]

    watched.kube.accept(watched.kube.job(uid), "alpha", "ann")
    woken.append(watched.changed(uid))
    for phase in ("Submitted", "Running", "Succeeded"):
        watched.kube.patch_status(watched.kube.job(uid), {"phase": phase})
        woken.append(watched.changed(uid))

    assert woken == [1, 0, 0, 0, 0]
    assert watched.store.read().objects[uid]["status"] == {"phase": "Succeeded"}


def test_what_people_ask_for_is_news() -> None:
    watched = Watched()
    uid = watched.added()
    watched.kube.accept(watched.kube.job(uid), "alpha", "")
    watched.changed(uid)

    watched.kube.apply(suspend=True)
    assert watched.changed(uid) == 1
    watched.kube.annotate(uid, ABANDON, "true")
    assert watched.changed(uid) == 1
    watched.kube.delete(uid)
    assert watched.changed(uid) == 1


@pytest.mark.parametrize("kind", ["DELETED", "BOOKMARK"])
def test_what_is_gone_and_how_far_one_has_heard_ask_for_nothing(kind: str) -> None:
    watched = Watched()
    uid = watched.added()

    assert watched.changed(uid, kind) == 0
    assert (uid in watched.store.read().objects) is (kind == "BOOKMARK")


def test_a_list_is_news_for_nobody_knows_what_was_missed() -> None:
    assert Watched().woken == 1


def test_who_wrote_which_field_is_not_kept_since_it_is_the_most_of_an_object() -> None:
    watched = Watched()
    uid = watched.kube.apply()
    watched.kube.objects[uid]["metadata"]["managedFields"] = [{"fieldsV1": {"f:status": {}}}]
    watched.changed(uid, "ADDED")

    (found,) = watched.store.read().objects.values()
    assert "managedFields" not in found["metadata"]
