"""The two marketplaces under one contract: the fake, and the adapter before the stand-in.

A site pairs the marketplace with the hands of its customers, who act behind the agent's back.
"""

from typing import Protocol

from sandbox.waldur import Waldur
from tests.fakes.waldur import FakeMarketplace
from waldur_slurm.agent.model.marketplace import (
    Dialect,
    OfferingUuid,
    Order,
    OrderUuid,
    Project,
    ResourceUuid,
    UserUuid,
)
from waldur_slurm.agent.waldur.client import WaldurMarketplace
from waldur_slurm.agent.waldur.port import Marketplace
from waldur_slurm.agent.waldur.session import WaldurSession
from waldur_slurm.agent.waldur.transport import Bounds, Exchange

PATIENT = Bounds(connect=5.0, read=15.0, whole=30.0)
"""As in production: where nothing is to time out, however busy the machine is."""
QUICK = Bounds(connect=5.0, read=1.0, whole=2.0)
"""Short enough for a test of a fault to wait for."""


class Site(Protocol):
    @property
    def market(self) -> Marketplace: ...

    def make_project(self) -> str: ...

    def add_member(self, project: str, username: str) -> UserUuid: ...

    def remove_member(self, project: str, user: UserUuid) -> None: ...

    def order_create(self, project: str, limits: dict[str, int]) -> OrderUuid: ...

    def order_update(self, resource: ResourceUuid, limits: dict[str, int]) -> OrderUuid: ...

    def order_terminate(self, resource: ResourceUuid) -> OrderUuid: ...


class FakeSite:
    def __init__(self, dialect: Dialect, fake: FakeMarketplace) -> None:
        self.dialect = dialect
        self.fake = fake
        self._projects: dict[str, Project] = {}

    @property
    def market(self) -> Marketplace:
        return self.fake

    def make_project(self) -> str:
        project = self.fake.make_project()
        self._projects[project.uuid] = project
        return project.uuid

    def add_member(self, project: str, username: str) -> UserUuid:
        return self.fake.add_member(self._projects[project], username)

    def remove_member(self, project: str, user: UserUuid) -> None:
        self.fake.remove_member(self._projects[project], user)

    def order_create(self, project: str, limits: dict[str, int]) -> OrderUuid:
        return self.fake.place_create(self._projects[project], "alloc", dict(limits)).uuid

    def order_update(self, resource: ResourceUuid, limits: dict[str, int]) -> OrderUuid:
        return self.fake.place_update(resource, dict(limits)).uuid

    def order_terminate(self, resource: ResourceUuid) -> OrderUuid:
        return self.fake.place_terminate(resource).uuid


class ServedSite:
    """The real adapter over real HTTP; `pauses` collects the waits that a retry would take."""

    def __init__(self, waldur: Waldur, token: str = "", bounds: Bounds = PATIENT) -> None:
        self.waldur = waldur
        self.dialect = Dialect(waldur.dialect)
        self.pauses: list[float] = []
        self.exchanges: list[Exchange] = []
        self.notices: list[str] = []
        self.session = WaldurSession(
            waldur.url,
            token or waldur.tokens.provider,
            user_agent="waldur-slurm-agent/test (pull; waldur-site-agent)",
            bounds=bounds,
            observer=self.exchanges.append,
            sleep=self.pauses.append,
        )
        self.market: Marketplace = WaldurMarketplace(
            self.session,
            OfferingUuid(waldur.offering_uuid),
            tell=lambda notice: self.notices.append(notice.name),
        )

    def close(self) -> None:
        self.session.close()

    def make_project(self) -> str:
        return self.waldur.make_project(self.waldur.make_customer("Science"), "Physics")

    def add_member(self, project: str, username: str) -> UserUuid:
        user = self.waldur.make_user(f"{username or 'nameless'}-at-home")
        self.waldur.set_offering_username(user, username)
        self.waldur.add_member(project, user)
        return UserUuid(user)

    def remove_member(self, project: str, user: UserUuid) -> None:
        self.waldur.remove_member(project, user)

    def order_create(self, project: str, limits: dict[str, int]) -> OrderUuid:
        return OrderUuid(self.waldur.order_create(project, "alloc", limits).uuid)

    def order_update(self, resource: ResourceUuid, limits: dict[str, int]) -> OrderUuid:
        return OrderUuid(self.waldur.order_update(resource, limits).uuid)

    def order_terminate(self, resource: ResourceUuid) -> OrderUuid:
        return OrderUuid(self.waldur.order_terminate(resource).uuid)


def resource_of(site: Site, order: OrderUuid) -> ResourceUuid:
    found: Order = site.market.read_order(order)
    assert found.resource is not None
    return found.resource


def serve_create(site: Site, project: str, limits: dict[str, int]) -> ResourceUuid:
    """Carry a create order through, as pull does after Slurm has confirmed."""
    market = site.market
    order = site.order_create(project, limits)
    market.approve_order(order)
    resource = market.read_resource(resource_of(site, order))
    market.tell_backend_id(resource, "hpc_alloc")
    market.tell_work_begun(resource)
    market.tell_resource_ok(resource)
    market.tell_order_done(order)
    return resource.uuid
