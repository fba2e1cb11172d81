"""Whoever says who he is changes nothing about what he may: only what was proven counts."""

import string
from collections.abc import Sequence
from ipaddress import ip_address, ip_network

from hypothesis import example, given
from hypothesis import strategies as st

from waldur_slurm.gateway.doors.decide import Yes, decide, decide_acting
from waldur_slurm.gateway.doors.networks import address, forwarded_from, is_within
from waldur_slurm.gateway.doors.paces import Bucket, Pace, take
from waldur_slurm.gateway.doors.people import People
from waldur_slurm.gateway.doors.principals import Kind, Principal, RunAs, is_user, run_as
from waldur_slurm.gateway.doors.scopes import Scope, widened
from waldur_slurm.gateway.errors import Denied
from waldur_slurm.model.names import UserName

NAMES = st.from_regex(r"[a-z_][a-z0-9_.-]{0,31}\$?", fullmatch=True).map(UserName)
HOSTILE = st.sampled_from(
    [
        "0", "1000", "-1", "root", "slurm", "Root", "ANN", "ann+", "+ann", "ann\0", "ann\n", "",
        " ann", "ann ", "an n", "\u0430nn", "ann\u200b", "\uff41nn", "@ann", "any", "self", "*",
        "../ann", "ann:x", "ann,bob", "a" * 33, "$", "ann$$", "%u", "-u", "\u00e4nn", "\u0131da",
    ]
)  # fmt: skip
CLAIMS = st.one_of(NAMES, HOSTILE, st.text(max_size=40)).map(UserName)
GROUPS = st.frozensets(NAMES.map(str), max_size=3)
ACTORS = st.builds(RunAs, st.frozensets(NAMES, max_size=3), GROUPS, st.booleans())
PRINCIPALS = st.builds(
    Principal,
    st.sampled_from(Kind),
    st.text(max_size=10),
    st.frozensets(st.sampled_from(Scope)).map(widened),
    st.none() | NAMES,
    ACTORS,
)
ADDRESSES = st.ip_addresses()


@given(PRINCIPALS, CLAIMS, GROUPS)
def test_acting_is_allowed_by_run_as_or_by_being_the_user_and_by_nothing_else(
    principal: Principal, claim: UserName, groups: frozenset[str]
) -> None:
    actors = principal.run_as
    may = (
        claim == principal.user
        or actors.anybody
        or claim in actors.users
        or bool(actors.groups & groups)
    )
    is_ascii_name = claim != "" and set(claim) <= set(
        string.ascii_lowercase + string.digits + "_.-$"
    )

    allowed = isinstance(decide_acting(principal, claim, groups), Yes)

    assert allowed == (may and is_user(claim))
    assert not allowed or (is_ascii_name and not claim[0].isdigit())


@given(HOSTILE)
@example("ann\n")
def test_no_hostile_name_is_acted_as_even_by_one_who_may_act_for_anybody(name: str) -> None:
    people = People(1000, 65535, "slurm")
    everybody = Principal(Kind.TOKEN, "x", frozenset(Scope), run_as=RunAs(anybody=True))

    try:
        person = people.find_actor(everybody, name)
    except Denied:
        return
    raise AssertionError(person)


@given(PRINCIPALS, st.sampled_from(Scope))
def test_a_deed_is_allowed_by_its_scope_and_every_answer_says_why(
    principal: Principal, scope: Scope
) -> None:
    answer = decide(principal, scope)

    assert isinstance(answer, Yes) == (scope in principal.scopes)
    assert answer.why


@given(PRINCIPALS, PRINCIPALS)
def test_two_who_may_see_different_things_never_share_an_answer(
    one: Principal, other: Principal
) -> None:
    if one.visibility == other.visibility:
        assert one.sees_only == other.sees_only


@given(ACTORS)
def test_whom_somebody_acts_for_is_read_back_from_what_it_is_written_as(actors: RunAs) -> None:
    written = str(actors)

    read = run_as(written)

    expected = RunAs(anybody=True) if actors.anybody else actors
    assert read == expected


# Proxies


@given(st.lists(ADDRESSES, max_size=4), ADDRESSES, st.lists(st.text(max_size=9), max_size=3))
def test_nothing_that_a_client_writes_before_the_proxys_own_word_counts(
    before: Sequence[object], client: object, junk: Sequence[str]
) -> None:
    proxies = [ip_network("10.8.0.0/16")]
    seen = ip_address(str(client))
    if is_within(seen, proxies):
        return
    lied = ", ".join([*junk, *map(str, before)]).replace("\n", " ")

    assert forwarded_from([lied, f"{client}, 10.8.0.1"], proxies) == address(str(client))


# Pace


@given(
    st.integers(1, 50),
    st.integers(1, 50),
    st.lists(st.floats(0, 5, allow_nan=False), max_size=200),
)
def test_nobody_ever_gets_more_than_his_pace(
    at_once: int, a_second: int, pauses: Sequence[float]
) -> None:
    pace, bucket, now, passed = Pace(at_once, a_second), None, 0.0, 0
    for pause in pauses:
        now += pause
        bucket, wait_s = take(pace, bucket, now)
        passed += wait_s == 0
        assert isinstance(bucket, Bucket)
        assert -1e-6 <= bucket.left <= at_once

    assert passed <= at_once + now * a_second + 1e-6


@given(st.integers(1, 50), st.integers(1, 50))
def test_who_waits_as_long_as_he_was_told_passes(at_once: int, a_second: int) -> None:
    pace, bucket = Pace(at_once, a_second), None
    for _ in range(at_once):
        bucket, wait_s = take(pace, bucket, 0.0)
        assert wait_s == 0
    bucket, wait_s = take(pace, bucket, 0.0)
    assert wait_s > 0

    _, again = take(pace, bucket, wait_s + 1e-9)

    assert again == 0
