"""The published typed client reads what today's dialect answers, on every endpoint of an agent.

Its decoding is strict; and a key that it does not know is refused here, so the stand-in adds none.
Its import takes seconds, which is why all of it is in this module.
"""

import importlib
import typing
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import attrs
import pytest
import requests
from waldur_api_client import AuthenticatedClient
from waldur_api_client.types import UNSET

from sandbox.waldur import READY, Waldur

ORDERS = "marketplace_orders"
RESOURCES = "marketplace_provider_resources"
OFFERINGS = "marketplace_provider_offerings"
PEOPLE = "marketplace_offering_users"
USAGES = "marketplace_component_usages"
PROVIDERS = "marketplace_service_providers"
IDENTITIES = "marketplace_site_agent_identities"
SERVICES = "marketplace_site_agent_services"
PROCESSORS = "marketplace_site_agent_processors"

# Objects that the reads and writes below name; each is made by the fixture.
READS = [
    ("users", "me_retrieve", ""),
    (ORDERS, "list", ""),
    (ORDERS, "retrieve", "order"),
    (RESOURCES, "list", ""),
    (RESOURCES, "retrieve", "resource"),
    (RESOURCES, "team_list", "resource"),
    (RESOURCES, "plan_periods_list", "resource"),
    (OFFERINGS, "list", ""),
    (OFFERINGS, "retrieve", "offering"),
    ("marketplace_public_offerings", "retrieve", "offering"),
    (PROVIDERS, "list", ""),
    (PROVIDERS, "project_permissions_list", "provider"),
    (PEOPLE, "list", ""),
    (PEOPLE, "retrieve", "person"),
    (USAGES, "list", ""),
    (USAGES, "retrieve", "usage"),
    ("marketplace_component_user_usages", "list", ""),
    (IDENTITIES, "list", ""),
    (IDENTITIES, "retrieve", "identity"),
    (SERVICES, "list", ""),
    (SERVICES, "retrieve", "service"),
    (PROCESSORS, "list", ""),
]

EMPTY = [
    (OFFERINGS, "list_project_service_accounts_list", "offering"),
    (OFFERINGS, "list_course_accounts_list", "offering"),
    (PROVIDERS, "keys_list", "provider"),
]

WRITES: list[tuple[str, str, str, Any]] = [
    (ORDERS, "approve_by_provider", "pending", {}),
    (ORDERS, "set_backend_id", "pending", {"backend_id": "job-7"}),
    (ORDERS, "set_state_done", "pending", None),
    (ORDERS, "set_provider_info", "unwanted", {"provider_message": "what is wrong with it"}),
    (ORDERS, "set_state_erred", "update", {"error_message": "no", "error_traceback": ""}),
    (ORDERS, "set_state_executing", "update", None),
    (ORDERS, "reject_by_provider", "unwanted", {"provider_rejection_comment": "no"}),
    (RESOURCES, "set_as_ok", "resource", None),
    (RESOURCES, "set_as_erred", "resource", {"error_message": "gone", "error_traceback": ""}),
    (RESOURCES, "set_state_ok", "resource", None),
    (RESOURCES, "set_backend_id", "resource", {"backend_id": "hpc_1"}),
    (RESOURCES, "set_limits", "resource", {"limits": {"cpu": 7}}),
    (RESOURCES, "set_backend_metadata", "resource", {"backend_metadata": {"qos": "normal"}}),
    (RESOURCES, "refresh_last_sync", "resource", None),
    (RESOURCES, "set_paused", "resource", {"paused": True}),
    (RESOURCES, "set_downscaled", "resource", {"downscaled": True}),
    (
        RESOURCES,
        "set_restrict_member_access",
        "resource",
        {"restrict_member_access": True},
    ),
    (
        RESOURCES,
        "set_membership_sync_statuses",
        "resource",
        {
            "statuses": [
                {
                    "scope_type": "resource",
                    "role_name": "PROJECT.MEMBER",
                    "state": "synced",
                    "username": name,
                }
                for name in ("ann", "nobody")
            ]
        },
    ),
    (
        OFFERINGS,
        "create_offering_component",
        "offering",
        {"type": "node", "name": "Node", "billing_type": "usage", "limit_amount": 0},
    ),
    (PEOPLE, "partial_update", "person", {"username": "ann2"}),
    (PEOPLE, "begin_creating", "newcomer", None),
    (PEOPLE, "set_pending_account_linking", "newcomer", {"comment": "link it"}),
    (PEOPLE, "set_validation_complete", "newcomer", None),
    (PEOPLE, "request_deletion", "newcomer", None),
    (PEOPLE, "update_restricted", "newcomer", {"is_restricted": True}),
    (USAGES, "set_usage", "", {"resource": "...", "usages": [{"type": "mem", "amount": "1.50"}]}),
    (USAGES, "set_user_usage", "usage", {"username": "ann", "usage": "1.25"}),
    (USAGES, "set_user_usages", "usage", {"usages": [{"username": "ann2", "usage": "1.25"}]}),
    (
        IDENTITIES,
        "update",
        "identity",
        {"offering": "...", "name": "agent-2", "version": "1.0.0", "dependencies": []},
    ),
    (IDENTITIES, "register_service", "identity", {"name": "pull", "mode": "pull"}),
    (SERVICES, "register_processor", "service", {"name": "pull", "backend_type": "slurm"}),
]


class Site:
    """A Waldur with one of everything, and the typed client pointed at it."""

    def __init__(self, waldur: Waldur) -> None:
        self.waldur = waldur
        self.client = AuthenticatedClient(
            base_url=waldur.url.removesuffix("/api/"), token=waldur.tokens.provider
        )
        self.named: dict[str, str] = {}

    def call(self, tag: str, name: str, target: str = "", body: Any = None) -> Any:
        """What the client makes of the answer; it raises where that is not what it promises."""
        module = importlib.import_module(f"waldur_api_client.api.{tag}.{tag}_{name}")
        arguments = [UUID(self.named[target])] if target else []
        more = {}
        if body is not None:
            hints = typing.get_type_hints(module.sync_detailed)
            kinds = typing.get_args(hints["body"]) or (hints["body"],)  # JSON first, then forms
            more["body"] = kinds[0].from_dict(body)
        return module.sync_detailed(*arguments, client=self.client, **more).parsed

    def furnish(self) -> None:
        waldur = self.waldur
        project = waldur.make_project(waldur.make_customer("Org"), "Project")
        user = waldur.make_user("ann")
        waldur.add_member(project, user)
        created = waldur.order_create(project, "alloc", {"cpu": 5})
        self.named |= {"order": created.uuid, "resource": created.resource_uuid}
        self.call(ORDERS, "approve_by_provider", "order", {})
        self.call(ORDERS, "set_state_done", "order")
        self.named["person"] = waldur.set_offering_username(user, "ann")
        newcomer = waldur.make_user("bea")
        waldur.add_member(project, newcomer)
        self.named["newcomer"] = next(
            row["uuid"] for row in waldur.offering_users() if row["user"] == newcomer
        )
        self.named["update"] = waldur.order_update(created.resource_uuid, {"cpu": 6}).uuid
        self.named["pending"] = waldur.order_create(project, "more").uuid
        self.named["unwanted"] = waldur.order_create(project, "unwanted").uuid
        self.named["offering"] = waldur.offering_uuid
        self._report()
        self._register()

    def _report(self) -> None:
        item = {"type": "cpu", "amount": "1.25", "description": ""}
        self.call(USAGES, "set_usage", "", {"resource": self.named["resource"], "usages": [item]})
        self.named["usage"] = self.call(USAGES, "list")[0].uuid.hex
        self.call(USAGES, "set_user_usage", "usage", {"username": "ann", "usage": "1.25"})

    def _register(self) -> None:
        self.named["provider"] = self.call(PROVIDERS, "list")[0].uuid.hex
        identity = {"offering": self.named["offering"], "name": "agent"}
        self.named["identity"] = self.call(IDENTITIES, "create", "", identity).uuid.hex
        service = {"name": "push", "mode": "push"}
        made = self.call(IDENTITIES, "register_service", "identity", service)
        self.named["service"] = made.uuid.hex
        processor = {"name": "push", "backend_type": "slurm", "backend_version": "1.0"}
        self.call(SERVICES, "register_processor", "service", processor)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    setup = READY.changed(
        {"enable_membership_sync_status": True, "enable_provider_consumer_messaging": True}
    )
    directory = tmp_path_factory.mktemp("today")
    with Waldur.start(directory, "today", setup) as waldur:
        site = Site(waldur)
        with site.client:
            site.furnish()
            yield site


def unknown_keys(parsed: Any, where: str = "") -> list[str]:
    """Keys of the answer that the published description does not have."""
    if isinstance(parsed, list):
        return [key for item in parsed for key in unknown_keys(item, where)]
    if not attrs.has(type(parsed)):
        return []
    names = [field.name for field in attrs.fields(type(parsed))]
    found = []
    if names != ["additional_properties"]:
        found = [f"{where}.{key}" for key in parsed.additional_properties]
    for name in names:
        if name != "additional_properties":
            found += unknown_keys(getattr(parsed, name), f"{where}.{name}")
    return found


@pytest.mark.parametrize(("tag", "name", "target"), READS)
def test_the_typed_client_reads_every_answer_and_knows_every_key(
    site: Site, tag: str, name: str, target: str
) -> None:
    parsed = site.call(tag, name, target)
    assert parsed
    assert unknown_keys(parsed) == []


@pytest.mark.parametrize(("tag", "name", "target"), EMPTY)
def test_what_this_waldur_has_none_of_is_an_empty_list(
    site: Site, tag: str, name: str, target: str
) -> None:
    assert site.call(tag, name, target) == []


def test_the_typed_client_accepts_the_answer_to_every_write(site: Site) -> None:
    fills = {"resource": site.named["resource"], "offering": site.named["offering"]}
    for tag, name, target, body in WRITES:
        filled = body and {key: fills.get(key, value) for key, value in body.items()}
        parsed = site.call(tag, name, target, filled)
        assert unknown_keys(parsed) == [], (tag, name)


def test_a_component_is_updated_through_the_typed_client(site: Site) -> None:
    component = next(one for one in site.waldur.components() if one["type"] == "gpu")
    body = {
        "uuid": component["uuid"],
        "type": "gpu",
        "name": "GPU",
        "billing_type": "limit",
        "max_value": 0,
    }
    site.call(OFFERINGS, "update_offering_component", "offering", body)
    after = next(one for one in site.waldur.components() if one["type"] == "gpu")
    assert after["max_value"] == 0


def test_what_an_agent_lives_on_is_always_there(site: Site) -> None:
    needed = {
        (ORDERS, "order"): "uuid type_ state limits attributes marketplace_resource_uuid"
        " project_uuid project_name project_slug customer_uuid customer_name customer_slug",
        (RESOURCES, "resource"): "uuid name state backend_id limits offering_type project_uuid"
        " customer_uuid paused downscaled restrict_member_access current_usages last_sync",
        (PEOPLE, "person"): "uuid user_uuid username state is_restricted",
        (USAGES, "usage"): "uuid resource_uuid type_ usage billing_period date",
    }
    for (tag, target), names in needed.items():
        parsed = site.call(tag, "retrieve", target)
        assert [name for name in names.split() if getattr(parsed, name) is UNSET] == []


def test_the_typed_client_refuses_an_answer_that_lost_a_key(site: Site) -> None:
    """The check that this module rests on can fail."""
    module = importlib.import_module("waldur_api_client.models.agent_service")
    answer = requests.get(
        f"{site.waldur.url}marketplace-site-agent-services/{site.named['service']}/",
        headers={"Authorization": f"Token {site.waldur.tokens.provider}"},
        timeout=10,
    ).json()
    module.AgentService.from_dict(answer)
    del answer["state"]
    with pytest.raises(KeyError):
        module.AgentService.from_dict(answer)
