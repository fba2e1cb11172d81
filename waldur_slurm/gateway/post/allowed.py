"""Whom letters may go to, and by whose name, by who asked for them. Pure.

Letters go out by the site's good name: a queue, an exchange or a channel that no sentence names is
nobody's. A sentence for everybody, `*`, and those for somebody add up.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from waldur_slurm.gateway.post.letter import Method
from waldur_slurm.gateway.post.senders.message import mail_address, one_line

_SENTENCE = re.compile(r"(?P<who>.+?)\s+may\s+(?P<what>.+)", re.DOTALL)
_HOURLY = re.compile(r"hourly:(\d{1,7})", re.ASCII)
_EXPECTED = (
    "sentences such as `token:portal may recipient:*@example.org queue:jobs hourly:500`, separated"
    " by ;"
)
HOURLY = 500
"""Where no sentence says how many."""


class Thing(StrEnum):
    """What a sentence may name."""

    RECIPIENT = "recipient"
    SENDER = "sender"
    CHANNEL = "channel"
    QUEUE = "queue"
    EXCHANGE = "exchange"
    TARGET = "target"


class Allowed(NamedTuple):
    thing: Thing
    pattern: str

    def __str__(self) -> str:
        return f"{self.thing}:{self.pattern}"


@dataclass(frozen=True, slots=True)
class Rule:
    """`who` is a principal as `str` writes it, `token:portal`, or a pattern of some."""

    who: str
    allows: tuple[Allowed, ...] = ()
    hourly: int | None = None

    def __str__(self) -> str:
        hourly = () if self.hourly is None else (f"hourly:{self.hourly}",)
        return f"{self.who} may {' '.join([*map(str, self.allows), *hourly])}"


@dataclass(frozen=True, slots=True)
class Rules:
    """`channel` is where letters go that name none: it is everybody's."""

    each: tuple[Rule, ...] = ()
    channel: str = ""

    def __str__(self) -> str:
        return "; ".join(map(str, self.each))

    def of(self, owner: str) -> Iterator[Rule]:
        return (rule for rule in self.each if _fits(rule.who, owner))


class NotAllowed(NamedTuple):
    """Why a way is not gone; a sentence for whoever asked.

    `is_malformed`: it could not be gone by anybody, whatever the site allows.
    """

    method: Method
    why: str
    is_malformed: bool = False


def check_methods(
    rules: Rules, owner: str, methods: Mapping[Method, Mapping[str, str]]
) -> tuple[NotAllowed, ...]:
    """Say what of it the owner, `str(principal)`, may not ask for; nothing where all is well."""
    return tuple(
        complaint
        for method, parameters in methods.items()
        for complaint in _complaints(rules, owner, method, parameters)
    )


def may_send_as(rules: Rules, owner: str, address: str) -> bool:
    """Whether mail may come from this address; the site's own it comes from otherwise."""
    return _is_allowed(rules, owner, Thing.SENDER, address)


def hourly(rules: Rules, owner: str) -> int:
    """How many letters may go out an hour."""
    return max((rule.hourly for rule in rules.of(owner) if rule.hourly is not None), default=HOURLY)


def parse_rules(text: str) -> Rules:
    parts = [part.strip() for part in text.split(";")]
    return Rules(tuple(_rule(part) for part in parts if part))


def _rule(text: str) -> Rule:
    match = _SENTENCE.fullmatch(text)
    if match is None:
        raise ValueError(_EXPECTED)
    allows: list[Allowed] = []
    a_hour = None
    for word in match["what"].replace(",", " ").split():
        pace = _HOURLY.fullmatch(word)
        if pace:
            a_hour = int(pace[1])
        else:
            allows.append(_allowed(word))
    return Rule(match["who"], tuple(allows), a_hour)


def _allowed(word: str) -> Allowed:
    thing, _, pattern = word.partition(":")
    if not pattern or thing not in {*map(str, Thing)}:
        raise ValueError(f"{_EXPECTED}; what may be named is {', '.join(Thing)}, and hourly:NUMBER")
    return Allowed(Thing(thing), pattern)


def _complaints(
    rules: Rules, owner: str, method: Method, parameters: Mapping[str, str]
) -> Iterator[NotAllowed]:
    mistake = _mistake(method, parameters)
    if mistake:
        yield NotAllowed(method, mistake, is_malformed=True)
        return
    for thing, name in _asked(method, parameters, rules.channel):
        if not _is_allowed(rules, owner, thing, name):
            why = (
                f"the {thing} {name[:80]!a} is not allowed to {owner}; GATEWAY_LETTERS_ALLOWED says"
                " which are"
            )
            yield NotAllowed(method, why)


def _mistake(method: Method, parameters: Mapping[str, str]) -> str:
    """What no rule could allow."""
    match method:
        case Method.EMAIL | Method.GMAIL:
            return _mail_mistake(parameters)
        case Method.RABBITMQ:
            if not parameters.get("queue") and not parameters.get("routing_key"):
                return "it names neither a queue nor a routing_key"
        case Method.APPRISE:
            if not parameters.get("target"):
                return "it names no target"
        case Method.SLACK | Method.WEBHOOK | Method.TEST:
            pass
    return ""


def _mail_mistake(parameters: Mapping[str, str]) -> str:
    try:
        mail_address(parameters.get("recipient", ""))
        if parameters.get("sender"):
            mail_address(parameters["sender"])
        one_line(parameters.get("subject", ""))
    except ValueError as error:
        return str(error)
    return ""


def _asked(
    method: Method, parameters: Mapping[str, str], channel: str
) -> Iterator[tuple[Thing, str]]:
    match method:
        case Method.EMAIL | Method.GMAIL:
            yield Thing.RECIPIENT, parameters.get("recipient", "")
        case Method.SLACK:
            named = parameters.get("channel", "")
            if named and not _is_same_channel(named, channel):
                yield Thing.CHANNEL, named
        case Method.RABBITMQ:
            yield from _queues(parameters)
        case Method.APPRISE:
            yield Thing.TARGET, parameters.get("target", "")
        case Method.WEBHOOK | Method.TEST:
            pass


def _queues(parameters: Mapping[str, str]) -> Iterator[tuple[Thing, str]]:
    """The exchange without a name puts a message into the queue that the routing key names."""
    queue, key = parameters.get("queue", ""), parameters.get("routing_key", "")
    exchange = parameters.get("exchange", "")
    if queue:
        yield Thing.QUEUE, queue
    if exchange:
        yield Thing.EXCHANGE, f"{exchange}/{key}"
    elif key and key != queue:
        yield Thing.QUEUE, key


def _is_allowed(rules: Rules, owner: str, thing: Thing, name: str) -> bool:
    return any(
        _fits(allowed.pattern.lstrip("#"), name.lstrip("#"))
        if thing is Thing.CHANNEL
        else _fits(allowed.pattern, name)
        for rule in rules.of(owner)
        for allowed in rule.allows
        if allowed.thing is thing
    )


def _is_same_channel(one: str, other: str) -> bool:
    return one.lstrip("#") == other.lstrip("#")


def _fits(pattern: str, name: str) -> bool:
    """Where `*` is anything that is one line; capitals do not count, as in names of domains."""
    parts = (re.escape(part) for part in pattern.split("*"))
    return re.fullmatch(".*".join(parts), name, re.IGNORECASE) is not None
