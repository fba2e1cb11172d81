"""The endpoints that exist in each dialect; what is not listed answers 404 as an HTML page."""

from collections.abc import Callable, Mapping

from sandbox.waldur.answers import Answer, not_allowed, refused
from sandbox.waldur.dialects import Dialect
from sandbox.waldur.exchange import Exchange
from sandbox.waldur.people import TRANSITIONS
from sandbox.waldur.views import (
    agents,
    memberships,
    offerings,
    orders,
    people,
    resources,
    slurm_remote,
    usages,
)

View = Callable[[Exchange], Answer]
Views = dict[str, View]


def routes_of(dialect: Dialect) -> Mapping[str, Views]:
    """Path under `api/`, with `*` for the UUID, to its views by method; 405 for the others."""
    found = _common()
    if dialect.has_provider_resources:
        found |= _provider_resources()
    else:
        found["marketplace-resources/*/set_backend_id/"] = {
            "POST": resources.set_backend_id_in_classic
        }
    if dialect.hides_an_allocation:
        found |= _slurm_remote()
    if dialect.is_today:
        found |= _today()
    return found


def match(routes: Mapping[str, Views], method: str, path: str) -> tuple[View, str] | None:
    """The view and the UUID in the path; None where nothing of that name exists."""
    named = [path, *_wildcards(path)]
    for pattern in named:
        views = routes.get(pattern)
        if views is not None:
            view = views.get("GET" if method == "HEAD" else method)
            return view or _not_allowed(method), _uuid_in(pattern, path)
    return None


def _wildcards(path: str) -> list[str]:
    parts = path.split("/")
    if len(parts) < 3:
        return []
    return ["/".join([parts[0], "*", *parts[2:]])]


def _uuid_in(pattern: str, path: str) -> str:
    return path.split("/")[1] if "*" in pattern else ""


def _not_allowed(method: str) -> View:
    def refuse(_ask: Exchange) -> Answer:
        raise not_allowed(method)

    return refuse


def _extension_is_disabled(_ask: Exchange) -> Answer:
    raise refused(424, {"detail": "Extension is disabled."})


def _common() -> dict[str, Views]:
    return {
        "users/me/": {"GET": people.show_me},
        "version/": {"GET": agents.show_version},
        "freeipa-profiles/": {"GET": _extension_is_disabled},
        "marketplace-orders/": {"GET": orders.list_orders, "POST": orders.create_order},
        "marketplace-orders/*/": {"GET": orders.show_order},
        "marketplace-orders/*/approve_by_consumer/": {"POST": orders.approve_by_consumer},
        "marketplace-orders/*/approve_by_provider/": {"POST": orders.approve_by_provider},
        "marketplace-orders/*/reject_by_provider/": {"POST": orders.reject_by_provider},
        "marketplace-orders/*/cancel/": {"POST": orders.cancel},
        "marketplace-orders/*/set_state_executing/": {"POST": orders.set_state_executing},
        "marketplace-orders/*/set_state_done/": {"POST": orders.set_state_done},
        "marketplace-orders/*/set_state_erred/": {"POST": orders.set_state_erred},
        "marketplace-resources/": {"GET": resources.list_consumer_resources},
        "marketplace-resources/*/": {
            "GET": resources.show_consumer_resource,
            "PATCH": resources.edit_consumer_resource,
        },
        "marketplace-resources/*/team/": {"GET": resources.consumer_team},
        "marketplace-resources/*/plan_periods/": {"GET": resources.consumer_plan_periods},
        "marketplace-resources/*/terminate/": {"POST": resources.terminate_as_consumer},
        "marketplace-resources/*/update_limits/": {"POST": resources.update_limits},
        "marketplace-resources/*/set_as_erred/": {"POST": resources.set_as_erred},
        "marketplace-public-offerings/*/": {"GET": offerings.show_public_offering},
        "marketplace-provider-offerings/": {"GET": offerings.list_provider_offerings},
        "marketplace-provider-offerings/*/": {"GET": offerings.show_provider_offering},
        "marketplace-provider-offerings/*/create_offering_component/": {
            "POST": offerings.create_offering_component
        },
        "marketplace-provider-offerings/*/update_offering_component/": {
            "POST": offerings.update_offering_component
        },
        "marketplace-provider-offerings/*/activate/": {"POST": offerings.activate},
        "marketplace-provider-offerings/*/update_integration/": {
            "POST": offerings.update_integration
        },
        "marketplace-plans/*/update_prices/": {"POST": offerings.update_prices},
        "marketplace-service-providers/": {"GET": people.list_service_providers},
        "marketplace-service-providers/*/project_permissions/": {
            "GET": people.list_project_permissions
        },
        "marketplace-offering-users/": {
            "GET": people.list_offering_users,
            "POST": people.create_offering_user,
        },
        "marketplace-offering-users/*/": {
            "GET": people.show_offering_user,
            "PATCH": people.edit_offering_user,
            "PUT": people.replace_offering_user,
        },
        "marketplace-offering-users/*/update_restricted/": {"POST": people.update_restricted},
        "marketplace-component-usages/": {"GET": usages.list_usages},
        "marketplace-component-usages/*/": {"GET": usages.show_usage},
        "marketplace-component-usages/set_usage/": {"POST": usages.set_usage},
        "marketplace-component-usages/*/set_user_usage/": {"POST": usages.set_user_usage},
        "marketplace-component-user-usages/": {"GET": usages.list_user_usages},
        "slurm-jobs/": {"GET": slurm_remote.list_nothing},
        **{
            f"{empty}/": {"GET": slurm_remote.list_nothing}
            for empty in (
                "marketplace-robot-accounts",
                "marketplace-integration-statuses",
                "marketplace-offering-user-roles",
                "marketplace-offering-usage-policies",
                "marketplace-offering-estimated-cost-policies",
            )
        },
    }


def _provider_resources() -> dict[str, Views]:
    at = "marketplace-provider-resources"
    return {
        f"{at}/": {"GET": resources.list_provider_resources},
        f"{at}/*/": {
            "GET": resources.show_provider_resource,
            "PATCH": resources.edit_provider_resource,
        },
        f"{at}/*/details/": {"GET": resources.show_allocation_behind},
        f"{at}/*/team/": {"GET": resources.provider_team},
        f"{at}/*/plan_periods/": {"GET": resources.provider_plan_periods},
        f"{at}/*/set_backend_id/": {"POST": resources.set_backend_id},
        f"{at}/*/set_backend_metadata/": {"POST": resources.set_backend_metadata},
        f"{at}/*/submit_report/": {"POST": resources.submit_report},
        f"{at}/*/set_as_erred/": {"POST": resources.set_as_erred},
        f"{at}/*/terminate/": {"POST": resources.terminate_as_provider},
        f"{at}/*/unlink/": {"POST": resources.unlink},
    }


def _slurm_remote() -> dict[str, Views]:
    at = "marketplace-slurm-remote/*"
    return {
        "marketplace-slurm-remote/": {},
        f"{at}/": {},
        f"{at}/set_state/": {"POST": slurm_remote.set_state},
        f"{at}/set_backend_id/": {"POST": slurm_remote.set_backend_id},
        f"{at}/set_limits/": {"POST": slurm_remote.set_limits},
        f"{at}/set_usage/": {"POST": slurm_remote.set_usage},
        f"{at}/create_association/": {"POST": slurm_remote.create_association},
        f"{at}/delete_association/": {"POST": slurm_remote.delete_association},
        "slurm-allocations/": {"GET": slurm_remote.list_allocations},
        "slurm-allocations/*/": {"GET": slurm_remote.show_allocation},
        "slurm-associations/": {"GET": slurm_remote.list_associations},
        "slurm-allocation-user-usage/": {"GET": slurm_remote.list_nothing},
    }


def _today() -> dict[str, Views]:
    at = "marketplace-provider-resources/*"
    agent = "marketplace-site-agent"
    return {
        f"{at}/set_limits/": {"POST": resources.set_limits},
        f"{at}/set_as_ok/": {"POST": resources.set_as_ok},
        f"{at}/set_state_ok/": {"POST": resources.set_state_ok},
        f"{at}/refresh_last_sync/": {"POST": resources.refresh_last_sync},
        f"{at}/set_endpoints/": {"POST": resources.set_endpoints},
        f"{at}/set_membership_sync_statuses/": {"POST": memberships.set_membership_sync_statuses},
        f"{at}/restore/": {"POST": resources.restore_as_provider},
        "marketplace-resources/*/restore/": {"POST": resources.restore_as_consumer},
        **{f"{at}/set_{flag}/": {"POST": resources.set_flag(flag)} for flag in resources.FLAGS},
        "marketplace-orders/*/set_backend_id/": {"POST": orders.set_backend_id},
        "marketplace-orders/*/set_provider_info/": {"POST": orders.set_provider_info},
        "marketplace-component-usages/*/set_user_usages/": {"POST": usages.set_user_usages},
        "marketplace-slurm-periodic-usage-policies/": {"GET": offerings.list_usage_policies},
        "component-user-usage-limits/": {"GET": usages.list_user_limits},
        "marketplace-service-providers/*/keys/": {"GET": slurm_remote.list_nothing},
        **{
            f"marketplace-provider-offerings/*/list_{kind}_accounts/": {
                "GET": people.list_project_accounts(kind)
            }
            for kind in ("project_service", "course")
        },
        **{
            f"marketplace-offering-users/*/{action}/": {"POST": people.move_offering_user(action)}
            for action in TRANSITIONS
        },
        f"{agent}-identities/": {"GET": agents.list_identities, "POST": agents.create_identity},
        f"{agent}-identities/*/": {"GET": agents.show_identity, "PUT": agents.replace_identity},
        f"{agent}-identities/*/register_service/": {"POST": agents.register_service},
        f"{agent}-services/": {"GET": agents.list_services},
        f"{agent}-services/*/": {"GET": agents.show_service},
        f"{agent}-services/*/register_processor/": {"POST": agents.register_processor},
        f"{agent}-services/*/set_statistics/": {"POST": agents.set_statistics},
        f"{agent}-processors/": {"GET": agents.list_processors},
    }
