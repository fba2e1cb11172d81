"""Nothing is touched that is not proven to be the agent's, whatever Waldur calls it."""

from dataclasses import replace

import pytest

from tests.fakes.pull import Site, new_site, served
from tests.fakes.pull_sites import OLD, left_by_the_original
from waldur_slurm.agent.model.marketplace import OrderState
from waldur_slurm.agent.pull.render import kind_of
from waldur_slurm.agent.pull.vocabulary.findings import DriftKind, RefusalKind
from waldur_slurm.agent.pull.world.marks import parse_mark
from waldur_slurm.agent.pull.world.policy import Consent
from waldur_slurm.agent.report.paper import Kind
from waldur_slurm.model.accounts import Account
from waldur_slurm.model.names import ROOT, AccountName, UserName
from waldur_slurm.model.tres import tres_name
from waldur_slurm.telemetry.events import Level

BOB = UserName("bob")


@pytest.fixture
def site() -> Site:
    return new_site()


def test_of_two_accounts_with_a_projects_mark_the_one_of_its_name_is_its(site: Site) -> None:
    resource = served(site)
    parent = site.accounts()[AccountName(str(site.account_of(resource.uuid).parent))]
    site.slurm.put(replace(parent, name=AccountName("aaa"), parent=ROOT))

    order = site.waldur.place_create(resource.project, "second", {"gpu": 1})
    site.settle()

    assert site.account_of(order.resource).parent == parent.name


def test_a_name_by_which_waldur_knows_another_allocation_is_not_given_again(site: Site) -> None:
    project = site.waldur.make_project()
    order = site.waldur.place_create(project, "alloc", {"gpu": 1})
    name = f"hpc_{str(order.resource)[:5]}_alloc"
    site.waldur.make_resource(project, "lost its account", backend_id=name)

    site.settle()

    assert site.account_of(order.resource).name != name
    assert name not in site.accounts()


def marked_by_another(site: Site, name: AccountName) -> None:
    account = site.accounts()[name]
    theirs = account.description.replace(site.waldur.offering.uuid, "9" * 32)
    site.slurm.put(replace(account, description=theirs))


def test_another_offerings_mark_for_the_same_resource_makes_nothing_ours(site: Site) -> None:
    resource = served(site, "ann")
    marked_by_another(site, site.account_of(resource.uuid).name)
    before = site.accounts()
    order = site.waldur.place_terminate(resource.uuid)

    report = site.run()

    assert site.accounts() == before
    assert RefusalKind.NOT_OURS in {refusal.kind for refusal in report.refusals}
    assert site.waldur.orders[order.uuid].state is OrderState.EXECUTING


def test_a_protected_name_is_not_given_to_an_allocation(site: Site) -> None:
    order = site.waldur.place_create(site.waldur.make_project(), "alloc", {"gpu": 1})
    name = AccountName(f"hpc_{str(order.resource)[:5]}_alloc")
    site.change_policy(protected_accounts=frozenset({name}))

    site.settle()

    assert site.account_of(order.resource).name != name
    assert name not in site.accounts()


def test_a_protected_name_is_not_given_to_a_project(site: Site) -> None:
    project = site.waldur.make_project()
    name = AccountName(f"hpc_{project.uuid}")
    site.change_policy(protected_accounts=frozenset({name}))
    order = site.waldur.place_create(project, "alloc", {"gpu": 1})

    report = site.run()

    assert name not in site.accounts()
    assert [(r.kind, r.subject) for r in report.refusals] == [(RefusalKind.SITE, order.uuid)]


def test_hostile_names_make_one_harmless_account(site: Site) -> None:
    project = site.waldur.make_project("x|y\nz", "a,b[1-9]")
    order = site.waldur.place_create(project, "--immediate; rm -rf /\x00\u202e" + "A" * 5000, {})

    site.settle()

    account = site.account_of(order.resource)
    assert len(account.name) <= 34
    assert account.description.isascii()
    assert "\n" not in account.description
    assert len(site.accounts()) == 5


def test_an_account_of_the_original_agent_is_adopted_on_its_evidence(site: Site) -> None:
    resource = left_by_the_original(site)

    site.settle()

    account = site.account_of(resource.uuid)
    assert account.name == OLD
    assert account.parent == ROOT
    assert account.limits[tres_name("gres/gpu")] == 60, "it is open only with what was ordered"


def test_capitals_in_waldurs_name_for_it_mean_the_same_account(site: Site) -> None:
    resource = left_by_the_original(site)
    site.waldur._change(resource, backend_id=OLD.upper())
    site.waldur.place_terminate(resource.uuid)

    site.settle()

    assert OLD not in site.accounts()
    (order,) = site.waldur.orders.values()
    assert order.state is OrderState.DONE


def test_an_order_that_ends_what_slurm_does_not_list_is_told_while_it_waits(site: Site) -> None:
    resource = left_by_the_original(site)
    del site.slurm._accounts[OLD]
    site.waldur.place_terminate(resource.uuid)

    site.run()

    (told,) = (event for event in site.events if event.fields.get("kind") == "absent")
    assert told.level is Level.WARNING
    assert OLD in str(told.fields["reason"])


def test_where_it_hangs_wrong_that_is_shown_and_mended_only_when_asked(site: Site) -> None:
    resource = left_by_the_original(site)
    site.settle()

    kinds = {drift.kind for drift in site.plan().plan.drifts}
    assert DriftKind.PARENT in kinds
    assert kind_of(site.plan()) is Kind.DRIFT_ONLY

    site.run(Consent(repair_parents=True))

    assert site.account_of(resource.uuid).parent == f"hpc_{resource.project.uuid}"


@pytest.mark.parametrize(
    "changes",
    [
        {"organization": "somebody"},
        {"name": AccountName("theirs")},
        {"description": "waldur/resource/not a mark we know"},
        {"description": f"waldur/resource/{'d' * 32}/{'e' * 32} theirs"},
    ],
    ids=["other organization", "no prefix", "unreadable mark", "another mark"],
)
def test_a_backend_id_alone_proves_nothing(site: Site, changes: dict[str, object]) -> None:
    resource = left_by_the_original(site, **changes)
    name = str(changes.get("name", OLD))
    site.waldur.resources[resource.uuid] = replace(resource, backend_id=name)
    before = site.accounts()
    order = site.waldur.place_terminate(resource.uuid)

    report = site.run()

    assert site.accounts() == before
    assert site.waldur.orders[order.uuid].state is OrderState.EXECUTING
    assert {refusal.kind for refusal in report.refusals} == {RefusalKind.NOT_OURS}


def test_an_account_that_two_resources_name_is_nobodys(site: Site) -> None:
    resource = left_by_the_original(site)
    site.waldur.make_resource(resource.project, "twin", backend_id=OLD)
    before = site.accounts()

    site.run()

    assert site.accounts() == before
    assert [drift.kind for drift in site.plan().plan.drifts] == [DriftKind.NOT_OURS] * 2


def test_a_protected_account_is_never_touched(site: Site) -> None:
    left_by_the_original(site)
    site.change_policy(protected_accounts=frozenset({OLD}))
    before = site.accounts()

    site.run()

    assert site.accounts() == before


def test_a_taken_name_gets_more_of_the_uuid_and_never_somebodys_account(site: Site) -> None:
    project = site.waldur.make_project()
    order = site.waldur.place_create(project, "alloc", {"gpu": 1})
    theirs = Account(AccountName("hpc_00000_alloc"), "theirs", "theirs", parent=ROOT)
    site.slurm.put(theirs)

    site.settle()

    assert site.account_of(order.resource).name == "hpc_00000000_alloc"
    assert site.accounts()[theirs.name].description == "theirs"


def test_what_a_crash_of_the_original_left_is_adopted_not_doubled(site: Site) -> None:
    project = site.waldur.make_project()
    order = site.waldur.place_create(project, "alloc", {"gpu": 1})
    name = AccountName("hpc_00000_alloc")
    site.slurm.put(Account(name, "alloc", f"hpc_{project.uuid}", parent=ROOT))

    site.settle()

    assert site.account_of(order.resource).name == name
    assert site.account_of(order.resource).limits[tres_name("gres/gpu")] == 60
    assert site.waldur.orders[order.uuid].state is OrderState.DONE


def test_an_account_of_a_resource_that_waldur_does_not_list_is_shown_and_kept(site: Site) -> None:
    project = site.waldur.make_project()
    kept = site.waldur.place_create(project, "kept", {"gpu": 1})
    lost = site.waldur.place_create(project, "lost", {"gpu": 1})
    site.settle()
    assert lost.resource is not None
    name = site.account_of(lost.resource).name
    del site.waldur.resources[lost.resource]
    before = site.accounts()

    site.run()

    assert site.accounts() == before
    assert [(d.kind, d.subject) for d in site.plan().plan.drifts] == [(DriftKind.ORPHAN, name)]
    assert kept.resource in site.waldur.resources


def test_two_offerings_share_a_customer_and_only_the_maker_removes_it(site: Site) -> None:
    project = site.waldur.make_project()
    order = site.waldur.place_create(project, "alloc", {"gpu": 1})
    site.settle()
    assert order.resource is not None
    parent = site.account_of(order.resource).parent
    assert parent is not None
    theirs = site.accounts()[parent]
    other = parse_mark(theirs.description)
    assert other is not None
    description = theirs.description.replace(other.offering, "9" * 32)
    site.slurm.put(replace(theirs, description=description))
    site.waldur.place_terminate(order.resource)

    site.settle()
    site.run(Consent(remove_empty_now=True))

    assert parent in site.accounts()
    assert site.accounts()[parent].description == description
