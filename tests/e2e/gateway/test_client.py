"""The client does over HTTP what it says: on a real gateway, hand and Slurm."""

import io
import secrets
from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.e2e.gateway.acting import LOSES_ITS_ANSWER, SMALL, ActingGateway, ActingSite
from tests.fixtures_hand import ANN, BOB
from waldur_slurm.gateway.client import Gateway, Guard
from waldur_slurm.gateway.errors import Denied, NotThere, NotThisJob, OtherBody, Refused

QUICK = "#!/bin/sh\necho first; sleep 1; echo last; exit 3\n"
SLOW = "#!/bin/sh\nsleep 600\n"


@pytest.fixture
def client(acting: ActingGateway, acting_site: ActingSite) -> Iterator[Gateway]:
    """One that may act for Ann and Bob."""
    with Gateway(f"http://127.0.0.1:{acting.port}", acting_site.token()) as made:
        yield made


@pytest.fixture
def key() -> str:
    return secrets.token_hex(8)


def test_a_job_is_handed_in_waited_for_and_read(
    client: Gateway, acting_site: ActingSite, key: str
) -> None:
    home = acting_site.hand.home(ANN)
    options = {"account": "physics", "mem": "10", "chdir": str(home)}
    placed = client.submit(QUICK, key=key, user=ANN, options=options)
    assert b"".join(client.follow(placed.job_id)) == b"first\nlast\n"
    ended = client.wait(placed.job_id, longest=timedelta(minutes=1))
    assert (ended.terminal, ended.outcome, ended.exit and ended.exit.code) == (True, "failed", 3)
    assert client.tail(placed.job_id, 5).data == b"last\n"
    listed = client.files(placed.job_id, "slurm-*.out")
    taken = io.BytesIO()
    assert client.take(placed.job_id, listed[0].path, taken) == listed[0].size
    assert taken.getvalue() == b"first\nlast\n"


def test_the_same_key_is_the_same_job_though_the_answer_was_lost(
    client: Gateway, acting_site: ActingSite, key: str
) -> None:
    acting_site.sbatch(LOSES_ITS_ANSWER)
    placed = client.submit(SLOW, key=key, user=ANN, options=SMALL, mark=f"client-{key}")
    again = client.submit(SLOW, key=key, user=ANN, options=SMALL, mark=f"client-{key}")
    assert again.job_id == placed.job_id
    assert len(acting_site.jobs_marked(f"client-{key}")) == 1
    with pytest.raises(OtherBody):
        client.submit(QUICK, key=key, user=ANN, options=SMALL, mark=f"client-{key}")


def test_jobs_are_found_by_their_marks_and_the_rest_is_absent(client: Gateway, key: str) -> None:
    placed = client.submit(SLOW, key=key, user=ANN, options=SMALL, mark=f"client-{key}")
    found = client.look_up(marks=[f"client-{key}", "client-nobody"])
    assert [job.job_id for job in found.jobs] == [placed.job_id]
    assert found.absent == ("client-nobody",)
    assert [job.job_id for job in client.look_up(prefix=f"client-{key}").jobs] == [placed.job_id]


def test_only_the_job_that_is_meant_is_touched(client: Gateway, key: str) -> None:
    placed = client.submit(SLOW, key=key, user=ANN, options=SMALL, mark=f"client-{key}")
    assert placed.submit_time is not None
    other = Guard(submit_time=placed.submit_time - timedelta(seconds=5))
    with pytest.raises(NotThisJob):
        client.cancel(placed.job_id, only=other)
    with pytest.raises(NotThisJob):
        client.steer("hold", placed.job_id, only=Guard(mark="another"))
    assert not client.job(placed.job_id).terminal
    client.cancel(placed.job_id, only=Guard(placed.submit_time, f"client-{key}"))
    assert client.wait(placed.job_id, longest=timedelta(minutes=1)).outcome == "cancelled"
    client.cancel(placed.job_id)


def test_what_the_gateway_refuses_is_raised_as_what_it_is(
    client: Gateway, acting: ActingGateway, acting_site: ActingSite, key: str
) -> None:
    with pytest.raises(Refused) as refused:
        client.submit(SLOW, key=key, user=ANN, options={**SMALL, "partition": "nosuch"})
    assert refused.value.refusal == "no-such-partition"
    with pytest.raises(Denied):
        client.submit(SLOW, key=key, user="root", options=SMALL)
    placed = client.submit(SLOW, key=key, user=ANN, options=SMALL)
    bobs = Gateway(f"http://127.0.0.1:{acting.port}", acting_site.token(BOB))
    with bobs, pytest.raises(NotThere):
        bobs.cancel(placed.job_id)
