"""An order ends an allocation whose account Slurm lists no more, and jobs have outlived it."""

from datetime import timedelta

import pytest

from tests.fakes.pull import Site, new_site, served
from tests.fakes.slurm_jobs import FakeJob
from waldur_slurm.agent.model.marketplace import OrderState, OrderType, Resource
from waldur_slurm.agent.pull.vocabulary.findings import Refusal, RefusalKind
from waldur_slurm.agent.pull.world.choices import JobPolicy
from waldur_slurm.agent.pull.world.policy import Consent
from waldur_slurm.errors import TransportError
from waldur_slurm.model.names import AccountName

GONE_FOR_CERTAIN = Consent(allow_removals=True)


@pytest.fixture
def site() -> Site:
    """One allocation with ann in it, which the journal knows."""
    site = new_site()
    served(site, "ann")
    return site


def the_resource(site: Site) -> Resource:
    (resource,) = site.waldur.resources.values()
    return resource


def with_jobs(site: Site) -> list[FakeJob]:
    """The account is gone, its order has come, and a job of each kind is there all the same."""
    name = AccountName(the_resource(site).backend_id)
    running = site.slurm.submit("ann", name)
    site.wait(timedelta(minutes=1))
    pending = site.slurm.submit("ann", name)
    site.slurm._accounts.pop(name)
    site.waldur.place_terminate(the_resource(site).uuid)
    return [running, pending]


def terminated(site: Site) -> OrderState:
    (order,) = (o for o in site.waldur.orders.values() if o.type is OrderType.TERMINATE)
    return order.state


def refusals(site: Site) -> list[Refusal]:
    return list(site.plan(GONE_FOR_CERTAIN).plan.refusals)


def test_jobs_of_an_account_that_the_journal_knows_are_cancelled_before_the_order_is_done(
    site: Site,
) -> None:
    jobs = with_jobs(site)

    site.run(GONE_FOR_CERTAIN)

    assert {job.state for job in jobs} == {"CANCELLED"}
    assert terminated(site) is OrderState.DONE
    told = [event.name for event in site.events if event.is_change]
    assert told[-3:] == ["jobs.cancelled", "usage.final", "order.done"]
    assert site.desk.reported == [(the_resource(site).uuid, the_resource(site).backend_id)]


def test_where_jobs_may_end_by_themselves_only_the_pending_ones_are_cancelled(site: Site) -> None:
    running, pending = with_jobs(site)
    site.change_policy(terminated_jobs=JobPolicy.DRAIN)

    site.run(GONE_FOR_CERTAIN)

    assert (running.state, pending.state) == ("RUNNING", "CANCELLED")
    assert terminated(site) is OrderState.EXECUTING
    site.slurm.finish(running)
    site.run(GONE_FOR_CERTAIN)
    assert terminated(site) is OrderState.DONE


def test_without_evidence_nobodys_job_is_cancelled_and_a_person_is_told(site: Site) -> None:
    jobs = with_jobs(site)
    site.state.documents.clear()

    site.run(GONE_FOR_CERTAIN)

    assert [job.state for job in jobs] == ["RUNNING", "PENDING"]
    assert terminated(site) is OrderState.EXECUTING
    (refusal,) = refusals(site)
    assert refusal.kind is RefusalKind.SITE
    assert f"`scancel --account={the_resource(site).backend_id}`" in refusal.reason
    site.slurm.cancel_jobs(site.slurm.read_queue([AccountName(the_resource(site).backend_id)]))
    site.wait(timedelta(minutes=2))
    site.run(GONE_FOR_CERTAIN)
    assert terminated(site) is OrderState.DONE


def test_an_account_that_another_resource_names_as_well_is_nobodys_evidence(site: Site) -> None:
    jobs = with_jobs(site)
    name = the_resource(site).backend_id
    site.waldur.make_resource(site.waldur.make_project(), "other", backend_id=name)

    site.run(GONE_FOR_CERTAIN)

    assert [job.state for job in jobs] == ["RUNNING", "PENDING"]


def test_while_the_queue_is_unknown_it_does_not_end(site: Site) -> None:
    with_jobs(site)
    for _ in range(5):
        site.slurm.fail_next(TransportError("slurmctld is down"), on="read_queue")

    site.run(GONE_FOR_CERTAIN)

    assert terminated(site) is OrderState.EXECUTING


@pytest.mark.parametrize("name", ["", "a|b", "--all"])
def test_what_cannot_be_an_accounts_name_has_no_jobs(site: Site, name: str) -> None:
    site.waldur._change(the_resource(site), backend_id=name)
    site.slurm._accounts.pop(site.account_of(the_resource(site).uuid).name)
    site.waldur.place_terminate(the_resource(site).uuid)

    site.run(GONE_FOR_CERTAIN)

    assert terminated(site) is OrderState.DONE
