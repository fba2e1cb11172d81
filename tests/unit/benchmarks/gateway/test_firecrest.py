"""FirecREST is measured where somebody has it, and what is left out is said."""

from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from benchmarks.gateway.peers.firecrest import (
    KEY,
    LEFT_OUT,
    SOURCE,
    USER,
    measure_firecrest,
    token_until,
)
from benchmarks.scale import Scale

NO_BED: Any = None
"""Nothing is asked of it where there is nothing to measure."""


@pytest.mark.parametrize("source", ["", "/nowhere", "."])
def test_without_a_checkout_it_is_left_out_and_that_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, source: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(SOURCE, source)

    assert [*measure_firecrest(NO_BED, Scale())] == [LEFT_OUT]


def test_its_token_is_one_of_the_key_that_it_is_shown() -> None:
    token = jwt.decode(token_until(2_000_000_000), OctKey.import_key(KEY), algorithms=["HS256"])

    assert token.header["kid"] == "bench"
    assert token.claims["sub"] == USER
    assert token.claims["exp"] == 2_000_000_000
