"""As many clusters are looked after as the ConfigMap names; what cannot be read changes nothing."""

from dataclasses import dataclass, field
from threading import Event as Bell

from tests.fakes.kube_jobs import FakeKube
from waldur_slurm.operator.config_map import CLUSTERS, CONFIG
from waldur_slurm.operator.errors import Silent
from waldur_slurm.operator.jobs.cycle import Turned
from waldur_slurm.operator.jobs.site import Site, Source
from waldur_slurm.operator.jobs.turning import Turning
from waldur_slurm.operator.model.cluster import Cluster
from waldur_slurm.telemetry.events import Event

ALPHA = "alpha: {url: 'https://a', namespaces: {physics: {user: p}}}\n"
BETA = "beta: {url: 'https://b', namespaces: {physics: {user: p}}}\n"
PATIENCE_S = 30


@dataclass
class Turns:
    """What is counted of one cluster's turns."""

    taken: int = 0
    has_turned: Bell = field(default_factory=Bell)
    has_ended: Bell = field(default_factory=Bell)


@dataclass
class Place:
    kube: FakeKube = field(default_factory=FakeKube)
    told: list[Event] = field(default_factory=list)
    begun: list[tuple[str, Turns]] = field(default_factory=list)

    def __post_init__(self) -> None:
        source = Source("slurm", "slurm-config")
        self.site = Site(self.kube, source, self.begin, self.told.append)

    def say(self, clusters: str) -> bool:
        self.kube.maps["slurm", "slurm-config"] = {CONFIG: "", CLUSTERS: clusters}
        return self.site.refresh()

    def begin(self, cluster: Cluster | None) -> Turning:
        turns = Turns()
        name = cluster.name if cluster else ""

        def turn() -> Turned:
            turns.taken += 1
            turns.has_turned.set()
            return Turned()

        self.begun.append((name, turns))
        return Turning(name, turn, turns.has_ended.set, self.told.append, tick_s=3600)

    def names(self) -> list[str]:
        return [name for name, _ in self.begun]

    def troubles(self) -> list[object]:
        return [each.fields["what"] for each in self.told if each.name == "config.trouble"]


def test_each_cluster_has_turns_of_its_own_and_so_has_what_belongs_to_none() -> None:
    place = Place()
    assert place.say(ALPHA + BETA)
    assert sorted(place.names()) == ["", "alpha", "beta"]
    assert all(turns.has_turned.wait(PATIENCE_S) for _, turns in place.begun)

    place.site.leave()
    assert all(turns.has_ended.is_set() for _, turns in place.begun)


def test_one_that_is_named_no_more_ends_and_the_others_go_on() -> None:
    place = Place()
    place.say(ALPHA + BETA)
    place.say(ALPHA)
    ended = [name for name, turns in place.begun if turns.has_ended.is_set()]

    assert (ended, sorted(place.site.clusters())) == (["beta"], ["alpha"])
    place.site.leave()


def test_another_address_begins_it_anew_and_another_namespace_does_not() -> None:
    place = Place()
    place.say(ALPHA)
    place.say(ALPHA.replace("physics", "bio"))
    assert place.names().count("alpha") == 1
    assert place.site.clusters()["alpha"].runs_as("bio") is not None

    place.say(ALPHA.replace("//a", "//c"))
    assert place.names().count("alpha") == 2
    place.site.leave()


def test_what_cannot_be_read_changes_nothing_and_is_told_once() -> None:
    place = Place()
    place.say(ALPHA)
    place.kube.failing["read_config_map"] = Silent("nobody answered")
    assert [place.site.refresh(), place.site.refresh()] == [False, False]
    place.kube.failing.clear()
    for text in ("alpha: 7\n", "- nothing\n", "{"):
        assert not place.say(text)
        assert sorted(place.site.clusters()) == ["alpha"]

    assert len(place.troubles()) == 4
    assert place.names().count("alpha") == 1
    place.site.leave()


def test_a_change_wakes_all_turns() -> None:
    place = Place()
    place.say(ALPHA)
    for _, turns in place.begun:
        assert turns.has_turned.wait(PATIENCE_S)
        turns.has_turned.clear()
    place.site.wake()

    assert all(turns.has_turned.wait(PATIENCE_S) for _, turns in place.begun)
    place.site.leave()


def test_a_defect_in_a_turn_is_told_and_the_next_one_is_taken() -> None:
    told: list[Event] = []
    taken: list[int] = []
    has_two = Bell()

    def turn() -> Turned:
        taken.append(1)
        if len(taken) == 2:
            has_two.set()
        raise ZeroDivisionError

    turning = Turning("alpha", turn, lambda: None, told.append, tick_s=0.01)
    turning.start()
    assert has_two.wait(PATIENCE_S)
    turning.leave()
    turning.join()

    assert told[0].name == "cluster.crashed"


def test_where_more_is_to_be_done_the_next_turn_waits_for_nothing() -> None:
    taken: list[int] = []
    is_done = Bell()

    def turn() -> Turned:
        taken.append(1)
        if len(taken) == 5:
            is_done.set()
        return Turned(is_more=len(taken) < 5)

    turning = Turning("alpha", turn, lambda: None, lambda _: None, tick_s=3600)
    turning.start()
    assert is_done.wait(PATIENCE_S)
    turning.leave()
    turning.join()
