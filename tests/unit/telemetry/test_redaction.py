"""What must never be printed is taken out, known or only looking like it."""

import pytest

from waldur_slurm.telemetry.redaction import redaction

JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    "text",
    [f"sgw_abcdefgh_{'x' * 43}", f"sgw_abcdefgh_{'x' * 20}", JWT, f"{JWT.rpartition('.')[0]}."],
)
def test_a_token_is_hidden_wherever_it_stands(text: str) -> None:
    hide = redaction(())

    assert hide(f"a {text} b") == "a <secret> b"
    assert hide(f"'{text}'") == "'<secret>'"
    assert text not in hide(f'{{"header": "Bearer {text}"}}')


def test_what_only_begins_like_a_token_is_left() -> None:
    text = "sgw_abcdefgh eyJ sgw_ the sgw_id_name of eyJhbGciOiJSUzI1NiJ9"

    assert redaction(())(text) == text
