"""Which gateway is meant, and what opens it: mistakes are said at once, and no token is shown."""

from pathlib import Path

import pytest

from waldur_slurm.errors import SettingsError
from waldur_slurm.gateway.cli.place import Place, read_place

URL = "https://gateway.example.org"


def place(told: dict[str, str | None] | None = None, **environ: str) -> Place:
    return read_place(told or {}, {"GATEWAY_URL": URL, **environ})


def test_what_was_typed_comes_before_the_environment() -> None:
    found = place({"url": "http://127.0.0.1:8040", "cluster": "beta"}, GATEWAY_TOKEN="t")
    assert found == Place("http://127.0.0.1:8040", "t", "beta", "")


def test_a_token_is_read_from_its_file(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("sgw_abc\n")
    assert place(GATEWAY_TOKEN_FILE=str(file)).token == "sgw_abc"
    assert place(GATEWAY_TOKEN_FILE=str(file), GATEWAY_TOKEN="other").token == "other"
    assert place({"token_file": str(file)}, GATEWAY_TOKEN="other").token == "sgw_abc"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "gateway.example.org",
        "ftp://x",
        "https://",
        "https://u:p@x",
        "https://x?y",
        "https://[",
        "http://x:y",
    ],
)
def test_an_address_that_is_none_is_said_to_be(url: str) -> None:
    with pytest.raises(SettingsError) as told:
        read_place({}, {"GATEWAY_URL": url})
    assert "GATEWAY_URL" in str(told.value)
    assert "such as https://gateway.example.org" in str(told.value)


def test_all_mistakes_are_said_at_once_and_no_token_with_them(tmp_path: Path) -> None:
    secret = "two words"
    with pytest.raises(SettingsError) as told:
        read_place({}, {"GATEWAY_TOKEN": secret, "GATEWAY_CACERT": str(tmp_path / "none")})
    assert len(told.value.mistakes) == 3
    assert secret not in str(told.value)
    with pytest.raises(SettingsError) as told:
        place(GATEWAY_TOKEN_FILE=str(tmp_path / "none"))
    assert "No such file" in str(told.value)


@pytest.mark.parametrize(
    ("url", "expected"),
    [("http://10.0.0.1:8040", True), (URL, False), ("http://localhost:8040", False)],
)
def test_a_token_without_tls_is_overheard_on_a_network(url: str, expected: bool) -> None:
    assert read_place({"url": url}, {"GATEWAY_TOKEN": "t"}).is_overheard is expected
    assert not read_place({"url": url}, {}).is_overheard
