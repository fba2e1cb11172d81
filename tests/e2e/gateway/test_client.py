"""The client does over HTTP what it says: on a real gateway, hand and Slurm."""

import io
import secrets
from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.e2e.gateway.acting import LOSES_ITS_ANSWER, SMALL, ActingGateway, ActingSite
from tests.fixtures_hand import ANN, BOB
from tests.patience import AT_ONCE_S
from tests.sandbox.processes import eventually
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


def test_a_job_that_waits_says_why_and_changes_are_told_to_its_end(
    client: Gateway, key: str
) -> None:
    placed = client.submit(QUICK, key=key, user=ANN, options={**SMALL, "hold": True})
    why = client.reason(placed.job_id)
    assert why.reason is not None
    assert (why.reason.word, why.reason.category) == ("JobHeldUser", "held")
    assert why.estimate is not None
    assert (why.estimate.kind, why.estimate.start) == ("unknown", None)
    changes = client.changes(placed.job_id)
    assert next(changes).phase == "pending"
    client.steer("release", placed.job_id)
    *_, last = changes
    assert (last.terminal, last.outcome) == (True, "failed")
    assert client.reason(placed.job_id).reason is None


def test_queue_and_history_are_gone_through_page_by_page(
    client: Gateway, acting_site: ActingSite, key: str
) -> None:
    ids = {
        client.submit(SLOW, key=f"{key}-{number}", user=ANN, options=SMALL).job_id
        for number in range(3)
    }
    found = [job.job_id for page in client.job_pages(limit=2, user=ANN) for job in page.jobs]
    assert ids <= {*found}
    assert len(found) == len({*found})
    for job_id in ids:
        client.cancel(job_id)

    def are_past() -> bool:
        return ids <= {job.job_id for job in client.history(user=ANN, limit=2)}

    assert eventually(are_past, AT_ONCE_S)


def test_what_slurm_would_do_is_told_without_doing_it(client: Gateway) -> None:
    assert client.try_out(SLOW, user=ANN, options=SMALL).partition == "main"
    with pytest.raises(Refused):
        client.try_out(SLOW, user=ANN, options={**SMALL, "partition": "nosuch"})


def test_a_token_for_one_job_opens_its_output_alone(
    client: Gateway, acting: ActingGateway, acting_site: ActingSite, key: str
) -> None:
    home = str(acting_site.hand.home(ANN))
    options = {"account": "physics", "mem": "10", "chdir": home}
    placed = client.submit(QUICK, key=key, user=ANN, options=options)
    made = client.token_for(placed.job_id, ["output:read"], timedelta(minutes=5))
    with Gateway(f"http://127.0.0.1:{acting.port}", made.token) as collector:
        assert b"".join(collector.follow(placed.job_id)) == b"first\nlast\n"
        with pytest.raises(Denied):
            collector.cancel(placed.job_id)


def test_the_cluster_and_oneself_are_told(client: Gateway) -> None:
    assert {node.name for node in client.nodes().nodes}
    assert [row.partition for row in client.usage().partitions] == ["main"]
    assert {may.scope for may in client.me().scopes if may.allowed} >= {"jobs:submit"}
