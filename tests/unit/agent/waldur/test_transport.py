"""No exception of the libraries below gets past the transport: each becomes one of ours."""

from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
import requests
import urllib3
from requests.adapters import BaseAdapter

from waldur_slurm.agent.errors import WaldurUnreachable
from waldur_slurm.agent.waldur.transport import FOREIGN, Bounds, Transport, ours

URL = "http://waldur.example.com/api/"


def raised_by(library: ModuleType) -> Iterator[type[Exception]]:
    """Every exception that it declares; its warnings are told and not raised."""
    for each in vars(library).values():
        is_declared = isinstance(each, type) and each.__module__ == library.__name__
        if is_declared and issubclass(each, Exception) and not issubclass(each, Warning):
            yield each


THEIRS = [*raised_by(requests.exceptions), *raised_by(urllib3.exceptions)]


class Raising(BaseAdapter):
    """A connection that ends in one exception."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def send(self, *_: Any, **__: Any) -> requests.Response:
        raise self.error

    def close(self) -> None:
        pass


def transport_that_raises(error: Exception) -> Transport:
    transport = Transport(
        URL,
        "token",
        user_agent="test",
        bounds=Bounds(),
        verify=True,
        threads=1,
        observer=lambda _: None,
    )
    transport._session.mount("http://", Raising(error))
    return transport


def test_both_libraries_declare_exceptions() -> None:
    assert {requests.ConnectionError, urllib3.exceptions.ReadTimeoutError} < set(THEIRS)


@pytest.mark.parametrize("theirs", THEIRS)
def test_each_exception_of_requests_and_urllib3_becomes_one_of_ours(
    theirs: type[Exception],
) -> None:
    error = theirs.__new__(theirs, "the cause")
    transport = transport_that_raises(error)

    with pytest.raises(WaldurUnreachable, match="GET orders/") as raised:
        transport.send("GET", f"{URL}orders/")

    assert type(raised.value) is ours(error)
    assert raised.value.__cause__ is error


@pytest.mark.parametrize("theirs", list(FOREIGN))
def test_each_row_of_the_table_is_the_first_that_its_exception_falls_under(
    theirs: type[Exception],
) -> None:
    assert ours(theirs.__new__(theirs)) is FOREIGN[theirs]


def test_a_mistake_of_the_program_is_not_taken_for_a_silent_server() -> None:
    with pytest.raises(TypeError, match="a mistake"):
        transport_that_raises(TypeError("a mistake")).send("GET", f"{URL}orders/")
