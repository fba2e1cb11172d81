"""Where slurmrestd listens can be written in four ways, and nothing else is taken for one."""

import pytest

from waldur_slurm.slurm.rest.grammar.address import Address, address


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("http://login1:6820", Address(host="login1", port=6820)),
        ("http://127.0.0.1:6820/", Address(host="127.0.0.1", port=6820)),
        ("http://login1", Address(host="login1", port=80)),
        ("https://login1", Address(host="login1", port=443, is_tls=True)),
        ("https://[::1]:6820/", Address(host="::1", port=6820, is_tls=True)),
        ("unix:/run/slurmrestd.sock", Address(socket="/run/slurmrestd.sock")),
        (
            "http+unix:///default?socket=/tmp/slurmrestd.sock",
            Address(socket="/tmp/slurmrestd.sock"),  # noqa: S108 - as the original's example has it
        ),
    ],
)
def test_an_address_is_read(text: str, read: Address) -> None:
    assert address(text) == read


@pytest.mark.parametrize(
    "text",
    [
        *("", "login1:6820", "ftp://login1", "httpss://login1:6820", "http://login1:6820/slurm"),
        *("http://login1:x", "http://login1:0", "http://login1:65536", "http+unix:///default"),
        *("unix:relative", f"unix:/{'a' * 200}"),
    ],
)
def test_what_is_no_address_is_refused_with_what_would_be(text: str) -> None:
    with pytest.raises(ValueError, match="http://HOST:PORT"):
        address(text)
