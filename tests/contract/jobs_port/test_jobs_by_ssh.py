"""What only the way over ssh promises: a journal that may be lost, known hosts, few commands."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sandbox.ssh import SshServer
from tests.contract.jobs_port.sites import FAILS, RealJobsSite
from tests.e2e.gateway.acting import ActingSite
from tests.fixtures_hand import ANN
from waldur_slurm.operator.jobs.port import Unreached
from waldur_slurm.operator.model.cluster import BySsh
from waldur_slurm.operator.ways.accounts import Account, transport_to
from waldur_slurm.operator.ways.direct_jobs import DirectJobs
from waldur_slurm.processes.port import Completed, Transport
from waldur_slurm.slurm.transports.ssh_master import KeyFile, KeyText


@pytest.fixture
def site(by_ssh: RealJobsSite) -> Iterator[RealJobsSite]:
    yield by_ssh
    by_ssh.clear()


class Overheard:
    """A transport that notes what is asked over it."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.asked: list[tuple[str, ...]] = []

    def tools(self) -> list[str]:
        """Those that asked Slurm something."""
        return [Path(argv[0]).name for argv in self.asked if argv[1:] != ("--version",)]

    def run(
        self,
        argv: tuple[str, ...],
        *,
        stdin: str = "",
        environ: Mapping[str, str] | None = None,
        timeout: timedelta | None = None,
    ) -> Completed:
        self.asked.append(argv)
        return self._transport.run(argv, stdin=stdin, environ=environ, timeout=timeout)

    def stream(
        self,
        argv: tuple[str, ...],
        *,
        believe: Callable[[Completed], None],
        environ: Mapping[str, str] | None = None,
        timeout: timedelta | None = None,
    ) -> Iterator[str]:
        self.asked.append(argv)
        return self._transport.stream(argv, believe=believe, environ=environ, timeout=timeout)


def test_a_thousand_marks_cost_one_squeue_and_one_sacct(
    site: RealJobsSite, acting_site: ActingSite, login_host: SshServer
) -> None:
    began = datetime.now(UTC) - timedelta(minutes=1)
    here = BySsh("127.0.0.1", login_host.port, str(login_host.known_hosts))
    key = KeyText(login_host.user_key.read_text())
    with closing(transport_to(here, Account(ANN, key))) as transport:
        overheard = Overheard(transport)
        jobs = DirectJobs(overheard, ANN, bin_path=str(acting_site.tools))
        job = jobs.submit(site.wanted())
        jobs.read_facts()
        jobs.look_up([job.mark, "k8s:warm"], began)
        overheard.asked.clear()
        found = jobs.look_up([job.mark, *(f"k8s:none:{n}" for n in range(999))], began)
    assert (len(found.jobs), len(found.absent)) == (1, 999)
    assert sorted(overheard.tools()) == ["sacct", "sh", "squeue"], overheard.asked


def test_a_script_is_in_no_command(
    site: RealJobsSite, acting_site: ActingSite, login_host: SshServer
) -> None:
    here = BySsh("127.0.0.1", login_host.port, str(login_host.known_hosts))
    with closing(transport_to(here, Account(ANN, KeyFile(login_host.user_key)))) as transport:
        overheard = Overheard(transport)
        jobs = DirectJobs(overheard, ANN, bin_path=str(acting_site.tools))
        jobs.submit(site.wanted("#!/bin/sh\n# s3cret\n"))
    assert "s3cret" not in repr(overheard.asked)


def test_a_journal_that_was_lost_makes_no_second_job(
    site: RealJobsSite, acting_site: ActingSite
) -> None:
    wanted = site.wanted()
    job = site.jobs.submit(wanted)
    shutil.rmtree(acting_site.hand.home(ANN) / ".local/state/slurm-operator")
    assert site.again().submit(wanted).job_id == job.job_id
    site.write_comment(job, "my own words")
    assert site.again().submit(wanted).job_id == job.job_id


def test_an_array_of_which_all_tasks_ended_has_ended(site: RealJobsSite) -> None:
    job = site.jobs.submit(site.wanted(FAILS, array="0-1"))
    seen = site.until(job, lambda each: each.state.is_terminal)
    assert seen.tasks is not None
    assert (seen.tasks.total, seen.tasks.failed) == (2, 2)


def test_a_host_that_is_not_known_beforehand_is_not_spoken_to(
    site: RealJobsSite, login_host: SshServer, tmp_path: Path
) -> None:
    nobody = tmp_path / "known_hosts"
    nobody.write_text("")
    account = Account(ANN, KeyFile(login_host.user_key))
    with closing(transport_to(BySsh("127.0.0.1", login_host.port, str(nobody)), account)) as host:
        jobs = DirectJobs(host, ANN)
        found = jobs.look_up(["k8s:m"])
        assert (found.unknown, "is unknown" in found.said) == (frozenset({"k8s:m"}), True)
        with pytest.raises(Unreached, match="is unknown"):
            jobs.submit(site.wanted())
