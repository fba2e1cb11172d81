"""Two gateways on one state directory do not run; one that cannot write anything does."""

import os
from pathlib import Path

import pytest

from waldur_slurm.errors import AlreadyRunning
from waldur_slurm.gateway.store.alone import only_gateway


def test_the_second_is_told_who_has_the_directory_and_what_to_do(tmp_path: Path) -> None:
    with (
        only_gateway(tmp_path, "127.0.0.1:8040"),
        pytest.raises(AlreadyRunning) as caught,
        only_gateway(tmp_path, "127.0.0.1:8041"),
    ):
        pass

    said = str(caught.value)
    assert said.startswith(f"process {os.getpid()} serves 127.0.0.1:8040 since ")
    assert f"with what {tmp_path} keeps; stop it, or give this one a GATEWAY_STATE_DIR" in said


def test_the_directory_is_free_again_afterwards(tmp_path: Path) -> None:
    for _ in range(2):
        with only_gateway(tmp_path / "state", "127.0.0.1:8040"):
            assert (tmp_path / "state" / "lock").stat().st_mode & 0o777 == 0o600


def test_a_lock_that_cannot_be_signed_holds_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    with only_gateway(tmp_path, "one"):
        with pytest.raises(AlreadyRunning, match="process unknown"), only_gateway(tmp_path, "two"):
            pass
        monkeypatch.undo()


def test_without_a_place_to_write_to_nothing_is_guarded(tmp_path: Path) -> None:
    """Such a gateway shows what it can, and says what it cannot."""
    (tmp_path / "file").write_text("")

    for _ in range(2):
        with only_gateway(tmp_path / "file" / "state", "127.0.0.1:8040"):
            assert (tmp_path / "file").read_text() == ""
