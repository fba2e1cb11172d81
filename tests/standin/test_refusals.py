"""The comparison that holds the stand-in to the truth can fail: a mutated answer is refused."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from tests.standin.recordings import Given, Recording, differences, recordings

RECORDINGS = recordings()
WITH_OBJECTS = [
    recording for recording in RECORDINGS if isinstance(recording.response, dict | list)
]


def as_given(recording: Recording) -> Given:
    return Given(recording.status, recording.headers, copy.deepcopy(recording.response))


def objects_in(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    nested = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for one in nested:
        yield from objects_in(one)


@pytest.mark.parametrize("recording", RECORDINGS, ids=str)
def test_a_recording_agrees_with_itself(recording: Recording) -> None:
    assert differences(recording, as_given(recording)) == []


def test_an_answer_that_lost_any_one_of_its_keys_is_refused() -> None:
    removed = 0
    for recording in WITH_OBJECTS:
        given = as_given(recording)
        for one in objects_in(given.response):
            for key in list(one):
                value = one.pop(key)
                assert differences(recording, given), (str(recording), key)
                one[key] = value
                removed += 1
    assert removed > 10_000


def test_an_answer_with_a_key_of_another_type_is_refused() -> None:
    for recording in WITH_OBJECTS:
        given = as_given(recording)
        for one in objects_in(given.response):
            for key, value in list(one.items()):
                one[key] = None if value is not None else {}
                assert differences(recording, given), (str(recording), key)
                one[key] = value


def test_an_answer_with_another_status_or_an_unrecorded_key_is_refused() -> None:
    for recording in WITH_OBJECTS:
        given = as_given(recording)
        assert differences(recording, Given(418, given.headers, given.response))
        for one in objects_in(given.response):
            one["invented"] = 1
            assert differences(recording, given), str(recording)
            del one["invented"]


def test_an_error_text_that_is_worded_otherwise_is_refused() -> None:
    worded = [one for one in RECORDINGS if one.status >= 400 and isinstance(one.response, dict)]
    assert worded
    for recording in worded:
        given = as_given(recording)
        key = next(iter(given.response))
        given.response[key] = "No." if isinstance(given.response[key], str) else ["No."]
        assert differences(recording, given), str(recording)
