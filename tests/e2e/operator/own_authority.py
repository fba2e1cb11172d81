"""A gateway whose certificate was signed by an authority of the site's own."""

import shutil
from collections.abc import Iterator

import pytest

from sandbox.kube.authority import Authority
from tests.e2e.gateway.acting import ActingGateway, ActingSite
from tests.fixtures_hand import CALLER

HOST = "127.1"
"""This machine, by a name that the operator takes for one that pods reach."""


@pytest.fixture(scope="module")
def authority(acting_site: ActingSite) -> Authority:
    """In a directory that the gateway reads."""
    place = acting_site.place / "tls"
    place.mkdir()
    made = Authority(place)
    made.sign("gateway", "gateway", at=(HOST,))
    for each in (place, *place.iterdir()):
        shutil.chown(each, CALLER)
    return made


@pytest.fixture(scope="module")
def gateway(acting_site: ActingSite, authority: Authority) -> Iterator[ActingGateway]:
    signed = authority.certificate.parent / "gateway"
    with acting_site.running(
        GATEWAY_TLS_CERTIFICATE=str(signed.with_suffix(".crt")),
        GATEWAY_TLS_KEY=str(signed.with_suffix(".key")),
    ) as started:
        yield started
