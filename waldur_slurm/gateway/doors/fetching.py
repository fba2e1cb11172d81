"""Gets a small document of a server that the site named; nothing that it says leads elsewhere."""

import time
from collections.abc import Mapping

import requests

TIMEOUT_S = 5.0
_LONGEST_S = 10.0
"""Of the whole answer, however slowly it comes."""
_MOST_BYTES = 1024 * 1024
_HEADERS = {"Accept": "application/json"}


def fetch(url: str) -> bytes:
    """Return the document; raises `OSError` or `ValueError` with why not."""
    with requests.get(
        url, headers=_HEADERS, timeout=TIMEOUT_S, allow_redirects=False, stream=True
    ) as answer:
        return _body(answer, url)


def send_form(url: str, form: Mapping[str, str], sign_in: tuple[str, str] | None) -> bytes:
    """Send a form, with a name and a password where there are some; raises as `fetch` does."""
    with requests.post(
        url,
        data=dict(form),
        auth=sign_in,
        headers=_HEADERS,
        timeout=TIMEOUT_S,
        allow_redirects=False,
        stream=True,
    ) as answer:
        return _body(answer, url)


def _body(answer: requests.Response, url: str) -> bytes:
    if answer.status_code != 200:
        raise ValueError(f"{url} answers {answer.status_code}")
    body, end = bytearray(), time.monotonic() + _LONGEST_S
    for piece in answer.iter_content(65_536):
        body += piece
        if time.monotonic() > end:
            raise ValueError(f"{url} takes more than {_LONGEST_S:g} s")
        if len(body) > _MOST_BYTES:
            raise ValueError(f"{url} says more than {_MOST_BYTES} bytes")
    return bytes(body)
