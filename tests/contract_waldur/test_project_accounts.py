"""Accounts of services and courses are told where Waldur has them, and unknown is not none."""

import pytest

from sandbox.waldur import DialectName, Fault
from tests.contract_waldur.sites import ServedSite, serve_create
from tests.fixtures_waldur import StartWaldur
from waldur_slurm.agent.errors import WaldurUnreachable
from waldur_slurm.agent.model.marketplace import RowKind


@pytest.fixture
def today(start_waldur: StartWaldur) -> ServedSite:
    return ServedSite(start_waldur("today", allocation_delay=0.0))


@pytest.mark.parametrize("kind", ["project_service", "course"])
def test_accounts_of_projects_with_something_of_the_offering_are_told(
    today: ServedSite, kind: str
) -> None:
    served, other = today.make_project(), today.make_project()
    serve_create(today, served, {})
    robot = today.waldur.add_project_account(served, "robot", kind)
    today.waldur.add_project_account(other, "stranger", kind)

    (account,) = today.market.read_project_accounts()

    assert account.project == served
    assert (account.person.user, account.person.username) == (robot, "robot")
    assert account.person.is_usable


@pytest.mark.parametrize(("state", "leaves"), [("Closed", True), ("Erred", False)])
def test_a_closed_account_leaves_and_an_erred_one_may_not_work(
    today: ServedSite, state: str, leaves: bool
) -> None:
    project = today.make_project()
    serve_create(today, project, {})
    robot = today.waldur.add_project_account(project, "robot")
    today.waldur.change("project_accounts", robot, state=state)

    (account,) = today.market.read_project_accounts()

    assert not account.person.is_usable
    assert account.person.is_leaving is leaves
    assert state in account.person.why_not


def test_lists_that_the_token_may_not_read_are_unknown(today: ServedSite) -> None:
    today.waldur.fault(Fault("GET */*/list_course_accounts/", "status", value=403))

    assert today.market.read_project_accounts() == ()

    assert {row.kind for row in today.market.unreadable} == {RowKind.PROJECT_ACCOUNT}


def test_lists_that_do_not_answer_stop_the_reading(today: ServedSite) -> None:
    today.market.read_project_accounts()
    today.waldur.fault(Fault("GET */*/list_course_accounts/", "status", value=500))

    with pytest.raises(WaldurUnreachable):
        today.market.read_project_accounts()


@pytest.mark.parametrize("dialect", ["transition", "classic"])
def test_older_servers_are_not_asked(start_waldur: StartWaldur, dialect: DialectName) -> None:
    site = ServedSite(start_waldur(dialect))
    site.market.read_offering()
    site.waldur.forget_requests()

    assert site.market.read_project_accounts() == ()
    assert site.waldur.requests() == []
