"""A real RabbitMQ on loopback for tests. Where there is none, they are skipped; in CI they fail."""

import shutil
from collections.abc import Iterator

import pytest

from sandbox.rabbitmq import Broker, is_rabbitmq_here, running_rabbitmq
from tests.fixtures_slurm import open_directory, skip_here
from tests.unit.gateway.post.sinks import make_certificate


@pytest.fixture(scope="session")
def _rabbitmq_is_here() -> None:
    if not is_rabbitmq_here():
        skip_here("NO RABBITMQ HERE, so this promise was not tested: sandbox/setup.sh all")


@pytest.fixture(scope="session")
def rabbitmq(_rabbitmq_is_here: None) -> Iterator[Broker]:
    """The one that tests share: use queues and exchanges of your own."""
    directory = open_directory()
    try:
        certificate = make_certificate(directory)
        with running_rabbitmq(directory, certificate=certificate.file) as broker:
            yield broker
    finally:
        shutil.rmtree(directory)
