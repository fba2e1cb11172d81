"""Who may have letters sent where."""

import pytest

from tests.unit.gateway.post.letters import letter
from waldur_slurm.gateway.errors import LetterDenied, TooFast, WrongAsk
from waldur_slurm.gateway.post.allowed import (
    NotAllowed,
    Rules,
    check_methods,
    hourly,
    may_send_as,
    parse_rules,
)
from waldur_slurm.gateway.post.gate import Gate
from waldur_slurm.gateway.post.letter import Method, Occasion, Sink, method_of
from waldur_slurm.gateway.post.port import Later, Never

ANN = "person:ann"
PORTAL = "token:portal(x1)"
RULES = Rules(
    parse_rules(
        "* may recipient:*@example.org hourly:2;"
        "token:portal(*) may recipient:*@partner.example, sender:portal@example.org channel:#hpc"
        " queue:jobs exchange:events/job.* target:ops hourly:4"
    ).each,
    channel="#site",
)


def refused(owner: str, method: Method, **parameters: str) -> list[str]:
    return [each.why for each in check_methods(RULES, owner, {method: parameters})]


@pytest.mark.parametrize(
    ("method", "parameters"),
    [
        (Method.EMAIL, {"recipient": "bob@example.org"}),
        (Method.GMAIL, {"recipient": "BOB@Example.ORG"}),
        (Method.EMAIL, {"recipient": "b@partner.example", "sender": "anybody@else.example"}),
        (Method.SLACK, {}),
        (Method.SLACK, {"channel": "site"}),
        (Method.SLACK, {"channel": "hpc"}),
        (Method.RABBITMQ, {"queue": "jobs"}),
        (Method.RABBITMQ, {"queue": "jobs", "routing_key": "jobs", "exchange": ""}),
        (Method.RABBITMQ, {"queue": "jobs", "exchange": "events", "routing_key": "job.done"}),
        (Method.APPRISE, {"target": "ops"}),
        (Method.WEBHOOK, {"url": "https://portal.example.org"}),
        (Method.TEST, {}),
    ],
)
def test_what_a_sentence_names_is_allowed(method: Method, parameters: dict[str, str]) -> None:
    assert refused(PORTAL, method, **parameters) == []


@pytest.mark.parametrize(
    ("owner", "method", "parameters", "thing"),
    [
        (ANN, Method.EMAIL, {"recipient": "b@partner.example"}, "recipient"),
        (ANN, Method.GMAIL, {"recipient": "b@example.org.evil.example"}, "recipient"),
        (ANN, Method.SLACK, {"channel": "#hpc"}, "channel"),
        (ANN, Method.RABBITMQ, {"queue": "jobs"}, "queue"),
        (ANN, Method.APPRISE, {"target": "ops"}, "target"),
        ("token:portal", Method.APPRISE, {"target": "ops"}, "target"),
        (PORTAL, Method.RABBITMQ, {"queue": "jobs", "routing_key": "payroll"}, "queue"),
        (PORTAL, Method.RABBITMQ, {"routing_key": "payroll"}, "queue"),
        (PORTAL, Method.RABBITMQ, {"exchange": "events", "routing_key": "x"}, "exchange"),
        (PORTAL, Method.RABBITMQ, {"exchange": "amq.topic", "routing_key": "job.x"}, "exchange"),
        (PORTAL, Method.APPRISE, {"target": "ops\n"}, "target"),
        (PORTAL, Method.SLACK, {"channel": "general"}, "channel"),
    ],
)
def test_what_none_names_is_nobodys(
    owner: str, method: Method, parameters: dict[str, str], thing: str
) -> None:
    found = refused(owner, method, **parameters)
    assert len(found) == 1
    assert f"the {thing} " in found[0]
    assert owner in found[0]
    assert "GATEWAY_LETTERS_ALLOWED" in found[0]


@pytest.mark.parametrize(
    ("method", "parameters", "says"),
    [
        (Method.EMAIL, {}, "no e-mail address"),
        (Method.EMAIL, {"recipient": "a@example.org,b@example.org"}, "no e-mail address"),
        (Method.EMAIL, {"recipient": "a@x.org\r\nBcc: b@example.org"}, "no e-mail address"),
        (Method.GMAIL, {"recipient": "a@example.org", "sender": "x"}, "no e-mail address"),
        (Method.EMAIL, {"recipient": "a@example.org", "subject": "a\nBcc: b"}, "not one line"),
        (Method.RABBITMQ, {"exchange": "events"}, "neither a queue nor a routing_key"),
        (Method.APPRISE, {}, "names no target"),
    ],
)
def test_what_could_never_be_sent_is_refused_before_it_is_kept(
    method: Method, parameters: dict[str, str], says: str
) -> None:
    (found,) = refused(PORTAL, method, **parameters)
    assert says in found


def test_each_way_has_its_own_refusal() -> None:
    asked = {Method.EMAIL: {"recipient": "x"}, Method.TEST: {}, Method.APPRISE: {"target": "ops"}}

    found = check_methods(RULES, ANN, asked)

    assert [each.method for each in found] == [Method.EMAIL, Method.APPRISE]
    assert all(isinstance(each, NotAllowed) for each in found)


def test_mail_comes_from_a_sender_only_where_he_is_named() -> None:
    assert may_send_as(RULES, PORTAL, "portal@example.org")
    assert not may_send_as(RULES, ANN, "portal@example.org")
    assert not may_send_as(RULES, PORTAL, "root@example.org")


def test_sentences_are_read_as_they_are_written() -> None:
    text = "* may recipient:*@example.org hourly:2; token:a may queue:jobs"
    assert str(parse_rules(text)) == text
    assert parse_rules(" ; ").each == ()
    assert (hourly(RULES, ANN), hourly(RULES, PORTAL), hourly(Rules(), ANN)) == (2, 4, 500)


@pytest.mark.parametrize(
    "text", ["ann", "* may", "* may mail:x", "* may recipient:", "* may hourly:x", "* may hourly:"]
)
def test_a_sentence_that_says_nothing_known_is_a_mistake(text: str) -> None:
    with pytest.raises(ValueError, match="sentences such as"):
        parse_rules(text)


def test_who_asks_is_told_all_that_is_not_allowed() -> None:
    gate = Gate(RULES)
    with pytest.raises(LetterDenied, match=r"email: the recipient .*; rabbitmq: the queue "):
        gate.let_ask(
            ANN, {Method.EMAIL: {"recipient": "a@b.c"}, Method.RABBITMQ: {"queue": "jobs"}}
        )


def test_what_nobody_could_be_sent_is_a_wrong_ask_and_nothing_of_it_is_counted() -> None:
    gate = Gate(RULES)
    mail = {Method.EMAIL: {"recipient": "bob@example.org"}}
    for wrong in ({}, {"recipient": "no address"}, {"recipient": "b@example.org", "sender": "x"}):
        with pytest.raises(WrongAsk, match=r"email: .* no e-mail address"):
            gate.let_ask(ANN, {Method.EMAIL: wrong, Method.RABBITMQ: {"queue": "jobs"}})

    gate.let_ask(ANN, mail)
    gate.let_ask(ANN, mail)


def test_who_asks_for_more_than_his_share_of_an_hour_waits() -> None:
    now = [0.0]
    gate = Gate(RULES, lambda: now[0])
    mail = {Method.EMAIL: {"recipient": "bob@example.org"}}
    gate.let_ask(ANN, mail)
    gate.let_ask(ANN, mail)

    with pytest.raises(TooFast) as caught:
        gate.let_ask(ANN, mail)
    assert caught.value.after_s == 1800
    gate.let_ask("person:bob", mail)

    now[0] = 1800
    gate.let_ask(ANN, mail)


def test_a_letter_that_is_no_longer_allowed_is_not_sent() -> None:
    gate = Gate(RULES)
    own = letter(owner=ANN, parameters={"recipient": "x@partner.example"})

    stopped = gate.stopped(own)

    assert isinstance(stopped, Never)
    assert "recipient" in stopped.why
    assert gate.stopped(letter(owner=ANN)) is None


def test_letters_beyond_the_hours_share_wait_and_are_not_lost() -> None:
    now = [0.0]
    gate = Gate(RULES, lambda: now[0])
    assert [gate.stopped(letter(str(each), owner=ANN)) for each in range(2)] == [None, None]

    assert gate.stopped(letter("3", owner=ANN)) == Later(
        "person:ann has had the 2 letters of an hour", 1800
    )
    assert gate.stopped(letter("4", owner=PORTAL)) is None


def test_an_admins_trial_is_held_to_no_rule() -> None:
    trial = letter(event=Occasion.TRIAL, facts=None, parameters={"recipient": "x@else.example"})

    assert Gate(RULES).stopped(trial) is None


def test_ways_are_read_as_people_write_them() -> None:
    asked = {"body": "hi"}
    assert method_of("rabbithq", asked) == method_of("rabbitmq", asked) == (Method.RABBITMQ, asked)
    assert method_of("apprise:ops", asked) == (Method.APPRISE, {"body": "hi", "target": "ops"})
    with pytest.raises(ValueError, match="'pigeon' is none of email,"):
        method_of("pigeon", asked)


def test_each_target_queues_up_for_itself() -> None:
    parameters = {"target": "ops"}
    assert letter(method=Method.APPRISE, parameters=parameters).sink == Sink(Method.APPRISE, "ops")
