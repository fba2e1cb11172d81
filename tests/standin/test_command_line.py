"""What a provider and an operator settle is settled from the command line as well."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox.waldur.cli import main
from sandbox.waldur.people import makes_users
from sandbox.waldur.store import Record, Store
from sandbox.waldur.traits import has_trait

Run = Callable[..., str]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    assert main(["begin", str(tmp_path)]) == 0
    store = Store(tmp_path)
    yield store
    store.close()


@pytest.fixture
def run(store: Store, capsys: pytest.CaptureFixture[str]) -> Run:
    def say(command: str, *words: str) -> str:
        assert main([command, str(store.path.parent), *words]) == 0, capsys.readouterr().err
        return capsys.readouterr().out.strip()

    return say


def offering(store: Store) -> Record:
    return store.named("offerings", store.offering_uuid)


def test_an_offering_begins_as_waldur_makes_it_or_ready(tmp_path: Path) -> None:
    for words, is_ready in (([], False), (["--ready"], True)):
        directory = tmp_path / str(is_ready)
        assert main(["begin", str(directory), *words]) == 0
        store = Store(directory)
        assert makes_users(store, offering(store)) is is_ready
        assert has_trait(store, "every_component_has_a_price") is is_ready
        store.close()


def test_an_offering_is_made_private_and_unavailable(run: Run, store: Store) -> None:
    run("offering", "--no-shared", "--users", "--state", "Unavailable")
    held = offering(store)
    assert (held["shared"], held["state"], makes_users(store, held)) == (0, "Unavailable", True)


def test_traits_are_listed_and_set(run: Run, store: Store) -> None:
    assert "off  managers_approve" in run("trait")
    run("trait", "managers_approve")
    assert has_trait(store, "managers_approve")
    run("trait", "managers_approve", "--off")
    assert not has_trait(store, "managers_approve")


def test_prices_plans_policies_invoices_and_tokens_are_settled(run: Run, store: Store) -> None:
    customer = run("customer", "Org")
    run("project", "Org", "Project")
    run("create", "Project", "alloc", "--limit", "cpu=5")
    run("price", "cpu", "none")
    assert len(store.rows("SELECT * FROM plan_components")) == 2
    plan = run("plan", "alloc", "Cheaper")
    assert [row["plan"] for row in store.rows("SELECT * FROM resources")] == [plan]
    run("govern", "cpu", "mem")
    assert store.setting("governed_limits") == ["cpu", "mem"]
    run("invoice", "Org", "2026-10")
    [open_] = store.rows("SELECT * FROM open_invoices")
    assert (open_["customer"], open_["month"]) == (customer, "2026-10-01")
    run("invoice", "Org", "2026-10", "--closed")
    assert store.rows("SELECT * FROM open_invoices") == []
    assert run("personal-token", "prov-owner").startswith("w_")


def test_a_project_is_given_to_another_customer(run: Run, store: Store) -> None:
    run("customer", "Org")
    other = run("customer", "Other")
    project = run("project", "Org", "Project")
    run("move", "Project", "Other")
    assert store.named("projects", project)["customer"] == other
