"""The server's secret is made by chance, once, and nobody else may read it."""

import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.fakes.tokens import FakeTokens
from waldur_slurm.errors import StateError
from waldur_slurm.gateway.doors.principals import run_as
from waldur_slurm.gateway.doors.scopes import Scope
from waldur_slurm.gateway.doors.tokens import mint
from waldur_slurm.gateway.store.secret import read_or_make_secret, read_secret, server_secret


def test_it_is_made_when_it_is_first_needed_and_stays(tmp_path: Path) -> None:
    path = tmp_path / "state" / "token-secret"

    assert read_secret(path) is None
    made = read_or_make_secret(path)

    assert len(made) == 32
    assert read_or_make_secret(path) == made == read_secret(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_two_gateways_have_two(tmp_path: Path) -> None:
    assert read_or_make_secret(tmp_path / "a" / "s") != read_or_make_secret(tmp_path / "b" / "s")


def test_many_who_make_it_at_once_have_the_same(tmp_path: Path) -> None:
    path = tmp_path / "state" / "token-secret"
    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(lambda _: read_or_make_secret(path), range(16)))

    assert len(made) == 1
    assert list(path.parent.iterdir()) == [path]


def test_one_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state" / "token-secret"
    read_or_make_secret(path)
    path.chmod(0o640)

    with pytest.raises(StateError, match="others may have read the secret"):
        read_or_make_secret(path)


@pytest.mark.parametrize("found", ["", "changeme\n", "0" * 63, "0" * 65, "\xe4" * 64])
def test_one_that_nobody_drew_by_chance_is_refused(tmp_path: Path, found: str) -> None:
    path = tmp_path / "state" / "token-secret"
    read_or_make_secret(path)
    path.write_text(found, encoding="utf-8")

    with pytest.raises(StateError, match="token-secret"):
        read_or_make_secret(path)


@pytest.mark.fault("token-secret is lost")
def test_one_that_was_lost_is_not_made_anew_where_tokens_need_it(tmp_path: Path) -> None:
    path, tokens = tmp_path / "state" / "token-secret", FakeTokens()
    scopes = frozenset({Scope.JOBS_READ})
    made = datetime(2026, 11, 30, tzinfo=UTC)
    secret = server_secret(path, tokens)
    tokens.add(
        mint(secret, name="p", scopes=scopes, run_as=run_as("ann"), made=made, ends=None).token
    )
    path.unlink()

    with pytest.raises(StateError, match="is missing, without which no token is known again"):
        server_secret(path, tokens)

    assert not path.exists()
