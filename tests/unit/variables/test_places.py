"""An address is one that a request can use, and shows no secret when it is not."""

import pytest

from tests.unit.agent.settings.environs import mistakes, settings


def test_a_url_gets_the_slash_that_its_user_forgot() -> None:
    assert settings(WALDUR_API_URL="https://w.example/api").api_url == "https://w.example/api/"


@pytest.mark.parametrize(
    "url",
    [
        "waldur.example.com/api",
        "ftp://waldur.example.com/",
        "https://",
        "https://w.example/?token=hunter2secret",
        "https://me:hunter2secret@w.example/api/",
        "https://:hunter2secret@w.example/api/",
        "https://@w.example/api/",
        "https://w.example:port/",
    ],
)
def test_an_address_that_no_request_could_use_is_a_mistake(url: str) -> None:
    (mistake,) = mistakes(WALDUR_API_URL=url)

    assert mistake.startswith("WALDUR_API_URL: found ")
    assert "hunter2secret" not in mistake
