"""Files that a person or a full disk has spoiled: read as what they are, or one error of ours."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.fakes.slurm import FakeSlurm
from tests.places import PROJECT
from tests.trust.hostile import ANY_TEXT, TEXTS, fuzzed, refusal_of
from tests.trust.size import count
from waldur_slurm.agent.metering import lives
from waldur_slurm.agent.metering.past import PastDays, Span
from waldur_slurm.agent.metering.sums import Sums
from waldur_slurm.agent.model.usage import Basis
from waldur_slurm.agent.pull.journal import Journal as PullJournal
from waldur_slurm.agent.push.journal import Journal as PushJournal
from waldur_slurm.agent.settings import Settings
from waldur_slurm.agent.tres_file import parse_tres_file
from waldur_slurm.errors import SettingsError, StateError
from waldur_slurm.model.period import Month
from waldur_slurm.state import Document, StateDirectory
from waldur_slurm.variables.env_file import read_env_file

SHIPPED = (PROJECT / "config-components.yaml").read_bytes()
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
ZONE = ZoneInfo("UTC")
WORDS = st.sampled_from(
    re.findall(
        r"\S+",
        """
        accounts people tres hold user_holds qos_before empty_since homes_owed final_usage
        first count size until failures why readings since newest looked alive lost
        erred unerrable declined strangers owed month account resource component measured held
        amounts hpc_1 2026-11 2026-11-01T00:00:00
        """,
    )
)
LEAF = st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT | WORDS
VALUE = st.recursive(
    LEAF,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=12,
)
DOCUMENTS = st.dictionaries(WORDS | ANY_TEXT, VALUE, max_size=4)


class OneDocument:
    """A state directory in which every document has the same content."""

    def __init__(self, content: Document) -> None:
        self._content = content

    def read(self, _name: str) -> Document:
        return self._content

    def replace(self, _name: str, _document: Mapping[str, Any]) -> None:
        """Nothing is kept."""


READERS: Sequence[Callable[[OneDocument], object]] = (
    PullJournal,
    lambda state: PushJournal(state).read_ledger(),
    lambda state: PushJournal(state).read_owed(),
    lambda state: PushJournal(state).read_newest_month(),
    lambda state: PushJournal(state).believes_missing(NOW, is_doubtful=True, remember=True),
    lambda state: PushJournal(state).keep_owed((), ()),
    lives.recall,
)


@given(content=DOCUMENTS)
@example(content={"looked": 7e16})
@fuzzed(120, 100_000)
def test_a_journal_that_holds_something_else_says_so(content: Document) -> None:
    for read in READERS:
        count("spoiled file: journal")
        refused = refusal_of(StateError, partial(read, OneDocument(content)))
        assert not refused or "does not hold what it should" in refused


@given(content=DOCUMENTS, tally=VALUE, parts=VALUE)
@fuzzed(60, 30_000)
def test_a_cache_that_holds_something_else_is_read_again(
    content: Document, tally: object, parts: object
) -> None:
    count("spoiled file: cache")
    span = Span.of(Month(2026, 11), ZONE, NOW)
    kept: dict[str, Any] = {}

    class Kept(OneDocument):
        def replace(self, _name: str, document: Mapping[str, Any]) -> None:
            kept.update(document)

    past_days(Kept({})).keep(span, Sums(Basis.ALLOCATED, frozenset()), NOW)
    spoiled = {**kept, **content, "tally": tally, "open": parts}
    found = past_days(OneDocument(spoiled)).recall(span, NOW)
    assert found is None or isinstance(found, Sums)
    assert past_days(OneDocument(kept)).recall(span, NOW)


def past_days(state: OneDocument) -> PastDays:
    return PastDays(FakeSlurm(), state, ZONE, Basis.ALLOCATED, frozenset())


@pytest.mark.parametrize(
    "content", [b"[" * 100_000, b"\xff", b'{"a":' * 50_000, b"NaN", b"9" * 5000]
)
def test_a_document_that_is_no_object_is_an_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.json").write_bytes(content)
    with pytest.raises(StateError, match=r"x\.json does not hold what it should"):
        StateDirectory(tmp_path).read("x")


@given(
    place=st.integers(0, len(SHIPPED)),
    cut=st.integers(0, 40),
    put=ANY_TEXT.map(str.encode) | st.binary(max_size=20),
)
@fuzzed(150, 50_000)
def test_a_tres_file_with_anything_in_it(place: int, cut: int, put: bytes) -> None:
    count("spoiled file: TRES")
    content = SHIPPED[:place] + put[:2000] + SHIPPED[place + cut :]

    def read() -> None:
        for component in parse_tres_file(content, "tres.yaml"):
            assert component.unit_factor > 0
            assert f"{component.label}{component.measured_unit}".isprintable()

    for mistake in refusal_of(SettingsError, read).split("\n"):
        assert mistake.isprintable(), mistake
        assert len(mistake) < 600


@given(text=st.lists(ANY_TEXT, max_size=4).map("\n".join), name=ANY_TEXT)
@fuzzed(150, 50_000)
def test_an_env_file_with_anything_in_it(
    tmp_path_factory: pytest.TempPathFactory, text: str, name: str
) -> None:
    count("spoiled file: env")
    path = tmp_path_factory.getbasetemp() / "spoiled.env"
    path.write_text(f"{text}\n{name}=x\nWALDUR_API_TOKEN={text}", encoding="utf-8", newline="")
    try:
        found = read_env_file(path)
    except SettingsError:
        return
    assert all(key.isidentifier() and "\0" not in value for key, value in found.items())
    refused = refusal_of(SettingsError, lambda: Settings.from_environ(found))
    assert all(len(mistake) < 600 for mistake in refused.split("\n"))


@pytest.mark.parametrize(
    "bytes_", [b"\xff\xfe", b"A=\0", b"=x", b"A B=1", b"\xef\xbb\xbfA=1", b"A=1\nWORD"]
)
def test_what_is_no_environment_is_a_wrong_setting(tmp_path: Path, bytes_: bytes) -> None:
    path = tmp_path / "pull.env"
    path.write_bytes(bytes_)
    with pytest.raises(SettingsError, match="--env-file"):
        read_env_file(path)


@pytest.mark.parametrize("text", TEXTS)
def test_every_setting_set_to_anything_is_read_or_refused(text: str) -> None:
    for declared in Settings.variables():
        count("spoiled file: setting")
        read = partial(Settings.from_environ, {declared.name: text})
        refused = refusal_of(SettingsError, read)
        assert all(len(mistake) < len(text) + 600 for mistake in refused.split("\n"))
        if declared.is_secret and len(text) > 10:
            assert text[:10] not in refused


def test_days_are_days() -> None:
    """The span of the cache test does hold past days."""
    assert Span.of(Month(2026, 11), ZONE, NOW).past.start.date() == date(2026, 11, 1)
