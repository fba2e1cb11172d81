"""What only the way through a gateway promises: a companion's token, few commands."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.contract.jobs_port.sites import FAILS, OF, RealJobsSite
from tests.e2e.gateway.acting import ActingGateway, ActingSite
from tests.trust.size import IS_CAMPAIGN, tried
from waldur_slurm.gateway.client import Gateway
from waldur_slurm.gateway.errors import Denied, GatewayError

MANY = 200 if IS_CAMPAIGN else 20


@pytest.fixture
def site(by_gateway: RealJobsSite) -> Iterator[RealJobsSite]:
    yield by_gateway
    by_gateway.clear()


@contextmanager
def counted(site: ActingSite, *tools: str) -> Iterator[Path]:
    """Let the gateway's tools write down each time that they ask something."""
    log = site.place / "started"
    log.touch()
    log.chmod(0o666)
    honest = {site.tools / tool: (site.tools / tool).read_text() for tool in tools}
    for script, text in honest.items():
        fresh = script.with_suffix(".new")
        fresh.write_text(
            text.replace("\nexec ", f"\n[ $1 = --version ] || echo {script.name} >>{log}\nexec ", 1)
        )
        fresh.chmod(0o755)
        fresh.rename(script)
    try:
        yield log
    finally:
        for script, text in honest.items():
            script.write_text(text)
        log.unlink()


def test_a_thousand_marks_cost_one_squeue_and_one_sacct(
    site: RealJobsSite, acting_site: ActingSite
) -> None:
    began = datetime.now(UTC) - timedelta(minutes=1)
    job = site.jobs.submit(site.wanted())
    site.until(job, lambda _: True)
    marks = [job.mark, *(f"k8s:none:{number}" for number in range(999))]
    with counted(acting_site, "squeue", "sacct") as log:
        found = site.jobs.look_up(marks, began)
        started = log.read_text().split()
    assert (len(found.jobs), len(found.absent)) == (1, 999)
    assert sorted(started) == ["sacct", "squeue"]


def test_a_companions_token_opens_its_own_job_and_nothing_else(
    site: RealJobsSite, acting: ActingGateway
) -> None:
    own, other = (site.jobs.submit(site.wanted(FAILS)) for _ in range(2))
    refs = [site.until(job, lambda seen: seen.state.is_terminal).ref for job in (own, other)]
    token = site.jobs.make_token(refs[0], timedelta(hours=1))
    with Gateway(f"http://127.0.0.1:{acting.port}", token) as companion:
        assert companion.tail(own.job_id).data == b"first\nwhy\nlast\n"
        assert [file.path for file in companion.files(own.job_id, f"slurm-{own.job_id}.out")]
        with pytest.raises(GatewayError):
            companion.tail(other.job_id)
        with pytest.raises(Denied):
            companion.submit("#!/bin/sh\n", key="k")


def test_many_jobs_at_once_are_one_each(site: RealJobsSite) -> None:
    """A cycle hands them in one after the other; here several operators do so at once."""
    wanted = [site.wanted(hold=True) for _ in range(MANY)]

    def submit(part: int) -> list[str]:
        jobs = site.again()
        return [jobs.submit(each).job_id for each in wanted[part::4]]

    with ThreadPoolExecutor(4) as pool:
        numbers = [number for part in pool.map(submit, range(4)) for number in part]
    tried["jobs handed in by operators at once"] += MANY
    assert len({*numbers}) == MANY
    assert {each.mark for each in wanted} <= site.jobs.list_marked(OF).jobs.keys()
