"""The postman: none lost, one at a time for each sink, no sink held up by another."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from threading import Event as Bell

import pytest

from tests.fakes.letters import FakeLetters
from tests.patience import AT_ONCE_S
from tests.unit.gateway.post.letters import NOW, letter
from waldur_slurm.gateway.post.cycle import KEPT_FOR, Postman
from waldur_slurm.gateway.post.letter import Letter, Method, Stage
from waldur_slurm.gateway.post.plan import LEASE
from waldur_slurm.gateway.post.port import Delivered, Later, Never, Outcome, Sender
from waldur_slurm.telemetry.events import Event, Level


@dataclass
class Clock:
    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


@dataclass
class FakeSender:
    outcome: Outcome = field(default_factory=Delivered)
    before: Callable[[], object] = lambda: None
    sent: list[str] = field(default_factory=list)

    def send(self, letter: Letter) -> Outcome:
        self.sent.append(letter.message_id)
        self.before()
        return self.outcome


@dataclass
class Scene:
    letters: FakeLetters = field(default_factory=FakeLetters)
    mail: FakeSender = field(default_factory=FakeSender)
    slack: FakeSender = field(default_factory=FakeSender)
    hooks: FakeSender = field(default_factory=FakeSender)
    clock: Clock = field(default_factory=Clock)
    told: list[Event] = field(default_factory=list)
    stopped: dict[str, Never | Later] = field(default_factory=dict)

    def postman(self) -> Postman:
        senders: dict[Method, Sender] = {
            Method.EMAIL: self.mail,
            Method.SLACK: self.slack,
            Method.WEBHOOK: self.hooks,
        }
        return Postman(
            self.letters,
            senders,
            self.told.append,
            stopped=lambda letter: self.stopped.get(letter.owner),
            clock=self.clock,
        )

    def round(self, postman: Postman) -> None:
        postman.begin_due()
        assert postman.wait_idle(AT_ONCE_S)

    def names(self, level: Level = Level.INFO) -> list[str]:
        return [event.name for event in self.told if event.level >= level]


@pytest.fixture
def scene() -> Scene:
    return Scene()


def webhook(message_id: str, host: str) -> Letter:
    url = {"url": f"https://{host}.example.org/"}
    return letter(message_id, method=Method.WEBHOOK, parameters=url)


def test_a_letter_is_sent_once_and_noted(scene: Scene) -> None:
    scene.letters.add(letter())
    postman = scene.postman()

    for _ in range(3):
        scene.round(postman)
        scene.clock.now += timedelta(days=1)

    assert scene.mail.sent == ["one"]
    assert scene.letters.kept["one"].stage is Stage.DELIVERED
    assert scene.names() == ["letter.delivered"]


@pytest.mark.fault("a place that letters go to is gone")
def test_a_sink_that_takes_nothing_is_told_of_once_until_it_takes_something(scene: Scene) -> None:
    scene.mail.outcome = Later("busy")
    scene.letters.add(letter())
    postman = scene.postman()
    for _ in range(3):
        scene.round(postman)
        scene.clock.now += timedelta(hours=1)

    assert scene.names() == ["letter.later"]
    scene.mail.outcome = Delivered()
    scene.round(postman)
    scene.mail.outcome = Later("busy")
    scene.letters.add(letter("two", next_try=scene.clock.now))
    scene.round(postman)

    assert scene.names() == ["letter.later", "letter.delivered", "letter.later"]
    assert scene.mail.sent == ["one"] * 4 + ["two"]


@pytest.mark.fault("the clock is set back")
def test_a_clock_that_is_set_back_holds_up_no_letter(scene: Scene) -> None:
    scene.mail.outcome = Later("busy")
    scene.letters.add(letter())
    postman = scene.postman()
    scene.round(postman)
    scene.mail.outcome = Delivered()
    scene.clock.now -= timedelta(days=3)

    scene.round(postman)

    assert scene.mail.sent == ["one", "one"]
    assert scene.letters.kept["one"].stage is Stage.DELIVERED


@pytest.mark.fault("the clock is set forward")
def test_a_clock_that_is_set_forward_has_each_letter_tried_before_it_is_dead(scene: Scene) -> None:
    scene.letters.add(letter())
    postman = scene.postman()
    scene.clock.now += timedelta(days=400)

    scene.round(postman)

    assert scene.letters.kept["one"].stage is Stage.DELIVERED


def test_a_dead_letter_is_told_of_and_stays_to_be_seen(scene: Scene) -> None:
    scene.mail.outcome = Never("nobody of that name")
    scene.letters.add(letter())

    scene.round(scene.postman())

    assert scene.letters.kept["one"].last_words == "nobody of that name"
    assert scene.names(Level.ERROR) == ["letter.dead"]


@pytest.mark.fault("a place that letters go to is gone")
def test_a_sink_that_hangs_holds_up_its_own_letters_alone(scene: Scene) -> None:
    goes_on = Bell()
    scene.mail.before = lambda: goes_on.wait(AT_ONCE_S)
    is_posted = Bell()
    scene.slack.before = is_posted.set
    for each in (letter("a"), letter("b"), letter("c", method=Method.SLACK)):
        scene.letters.add(each)
    postman = scene.postman()

    with postman.running():
        assert is_posted.wait(AT_ONCE_S)
        assert scene.mail.sent == ["a"]
        goes_on.set()
    assert scene.letters.kept["a"].stage is Stage.DELIVERED


def test_programs_that_hang_hold_up_no_mail(scene: Scene) -> None:
    goes_on = Bell()
    scene.hooks.before = lambda: goes_on.wait(AT_ONCE_S)
    for number in range(20):
        scene.letters.add(webhook(str(number), f"host{number}"))
    is_posted = Bell()
    scene.mail.before = is_posted.set
    postman = scene.postman()

    with postman.running():
        scene.letters.add(letter())
        assert is_posted.wait(AT_ONCE_S)
        assert len(scene.hooks.sent) == 4
        goes_on.set()


def test_when_one_letter_is_gone_the_next_follows_at_once(scene: Scene) -> None:
    """No letter waits for the next look: fifty looks would take most of a minute."""
    everything = Bell()
    scene.mail.before = lambda: everything.set() if len(scene.mail.sent) == 50 else None
    for number in range(50):
        scene.letters.add(letter(str(number)))

    with scene.postman().running():
        assert everything.wait(AT_ONCE_S)

    assert scene.mail.sent == [str(number) for number in range(50)]


def test_what_a_killed_postman_was_at_is_sent_again_and_nothing_else(scene: Scene) -> None:
    class Killed(BaseException):
        pass

    def kill() -> None:
        raise Killed

    scene.mail.before = kill
    scene.letters.add(letter())
    claimed = scene.letters.heads(NOW)[0]
    assert scene.letters.claim(claimed, NOW, NOW + LEASE)
    with suppress(Killed):
        scene.postman().post(claimed)
    scene.mail.before = lambda: None
    next_one = scene.postman()

    scene.round(next_one)
    assert scene.mail.sent == ["one"]
    scene.clock.now += LEASE
    scene.round(next_one)
    scene.clock.now += LEASE
    scene.round(next_one)

    assert scene.mail.sent == ["one", "one"]
    assert scene.letters.kept["one"].stage is Stage.DELIVERED


def test_two_postmen_over_one_outbox_send_a_letter_once(scene: Scene) -> None:
    for number in range(20):
        scene.letters.add(webhook(str(number), f"host{number}"))
    postmen = [scene.postman(), scene.postman()]

    for _ in range(10):
        for postman in postmen:
            postman.begin_due()
        assert all(postman.wait_idle(AT_ONCE_S) for postman in postmen)

    assert sorted(scene.hooks.sent, key=int) == [str(number) for number in range(20)]


def test_a_defect_in_a_sender_loses_no_letter(scene: Scene) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    scene.mail.before = fail
    scene.letters.add(letter())
    postman = scene.postman()
    scene.round(postman)

    assert scene.letters.kept["one"].stage is Stage.WAITING
    assert scene.names(Level.ERROR) == ["letter.crashed"]
    scene.mail.before = lambda: None
    scene.clock.now += timedelta(minutes=1)
    scene.round(postman)
    assert scene.names()[1:] == ["letter.later", "letter.delivered"]


def test_a_way_that_is_not_set_up_keeps_its_letters_for_a_day(scene: Scene) -> None:
    scene.letters.add(letter(method=Method.TEST))

    scene.round(scene.postman())

    kept = scene.letters.kept["one"]
    assert kept.stage is Stage.WAITING
    assert "not set up for test" in kept.last_words


def test_an_outbox_that_cannot_be_read_is_told_of_once_and_read_again(scene: Scene) -> None:
    scene.letters.add(letter())
    scene.letters.is_broken = True
    postman = scene.postman()
    for _ in range(3):
        scene.round(postman)
    assert scene.names() == ["letter.unwritten"]

    scene.letters.is_broken = False
    scene.round(postman)
    assert scene.mail.sent == ["one"]


def test_a_full_disk_is_told_of_once_and_not_looked_at_without_a_pause(scene: Scene) -> None:
    scene.letters.is_full = True
    scene.letters.add(letter())
    is_told = Bell()

    def tell(event: Event) -> None:
        scene.told.append(event)
        is_told.set()

    postman = Postman(scene.letters, {Method.EMAIL: scene.mail}, tell, clock=scene.clock)
    with postman.running():
        assert is_told.wait(AT_ONCE_S)
        is_told.clear()
        assert not is_told.wait(2.5)
    assert scene.letters.looks < 20
    assert scene.names() == ["letter.unwritten"]
    assert scene.mail.sent == []

    scene.letters.is_full = False
    scene.round(postman)
    assert scene.mail.sent == ["one"]


def test_what_came_of_a_letter_is_forgotten_after_two_weeks(scene: Scene) -> None:
    scene.letters.add(letter(made=NOW - KEPT_FOR - timedelta(seconds=1)))
    scene.letters.add(letter("two"))
    for message_id in ("one", "two"):
        scene.letters.note(replace(scene.letters.kept[message_id], stage=Stage.DELIVERED))

    scene.round(scene.postman())

    assert [*scene.letters.kept] == ["two"]


def test_a_letter_that_is_not_allowed_never_reaches_its_sender(scene: Scene) -> None:
    scene.stopped = {
        "token:eve": Never("the recipient is not allowed"),
        "token:fast": Later("wait"),
    }
    for owner in ("token:eve", "token:fast", "token:ann"):
        scene.letters.add(letter(owner, owner=owner))

    postman = scene.postman()
    for _ in range(3):
        scene.round(postman)

    kept = {each.owner: each for each in scene.letters.kept.values()}
    assert scene.mail.sent == ["token:ann"]
    assert kept["token:eve"].stage is Stage.DEAD
    assert kept["token:eve"].last_words == "the recipient is not allowed"
    assert kept["token:fast"].stage is Stage.WAITING
