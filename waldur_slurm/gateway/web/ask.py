"""What a handler is given: the request, who asks, and the site that he asks about."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import msgspec
from starlette.requests import Request

from waldur_slurm.gateway.doors.principals import Principal
from waldur_slurm.gateway.errors import NotThere, WrongAsk
from waldur_slurm.gateway.picture.bodies import Bodies
from waldur_slurm.gateway.picture.cluster import ClusterPictures
from waldur_slurm.gateway.picture.keeper import Keeper, Seen
from waldur_slurm.gateway.web.crossing import Crossing
from waldur_slurm.gateway.web.seeds.restapi_site import RestApi
from waldur_slurm.gateway.web.seeing import see
from waldur_slurm.telemetry.events import Sink

T = TypeVar("T")
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Site:
    """What all requests share. `mark` is of this process: nothing of an earlier one fits it."""

    clusters: Mapping[str, ClusterPictures]
    default_cluster: str
    tell: Sink
    mark: str
    crossing: Crossing = field(default_factory=Crossing)
    bodies: Bodies = field(default_factory=Bodies)
    restapi: RestApi = field(default_factory=RestApi)


@dataclass(frozen=True, slots=True)
class Ask:
    request: Request
    principal: Principal
    site: Site

    @property
    def cluster(self) -> ClusterPictures:
        """The cluster that the path names, or the default one."""
        name = self.request.path_params.get("cluster", self.site.default_cluster)
        try:
            return self.site.clusters[name]
        except KeyError:
            known = ", ".join(sorted(self.site.clusters))
            raise NotThere(f"there is no such cluster; there is {known}") from None

    async def see(self, keeper: Keeper[Value], *, younger_than: float = 0.0) -> Seen[Value]:
        return await see(keeper, self.site.crossing.slurm, younger_than=younger_than)

    def query(self, of: type[T]) -> T:
        """Read the query; whatever is not in `of`, or comes twice, is a `WrongAsk`."""
        given: dict[str, str] = {}
        known = {item.encode_name for item in msgspec.structs.fields(of)}  # type: ignore[arg-type]
        for name, value in self.request.query_params.multi_items():
            if name not in known:
                raise WrongAsk(f"{name!r}: there is no such parameter; there is {_listed(known)}")
            given[name] = f"{given[name]},{value}" if name in given else value
        try:
            return msgspec.convert(given, of, strict=False)
        except msgspec.ValidationError as error:
            raise WrongAsk(str(error)) from None


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names)) or "none"
