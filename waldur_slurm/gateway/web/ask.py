"""What a handler is given: the request, who asks, and the site that he asks about."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from waldur_slurm.gateway.acting.actors import Actor, Actors
from waldur_slurm.gateway.acting.audit import Audit, Caller
from waldur_slurm.gateway.acting.words import refusals
from waldur_slurm.gateway.doors.one_job import JobTokens
from waldur_slurm.gateway.doors.principals import Principal
from waldur_slurm.gateway.errors import NotThere, TooLarge, WrongAsk
from waldur_slurm.gateway.picture.bodies import Bodies
from waldur_slurm.gateway.picture.cluster import ClusterPictures
from waldur_slurm.gateway.picture.keeper import Keeper, Seen
from waldur_slurm.gateway.picture.recorder import Recorder
from waldur_slurm.gateway.submits.submitter import Submitter
from waldur_slurm.gateway.tasks.desk import Desk
from waldur_slurm.gateway.web.crossing import Crossing, Lane
from waldur_slurm.gateway.web.held import Digests, OpenFiles
from waldur_slurm.gateway.web.making import Making
from waldur_slurm.gateway.web.managed_site import Managed
from waldur_slurm.gateway.web.native.filters import Compared, split_comparisons
from waldur_slurm.gateway.web.pages.site import Pages
from waldur_slurm.gateway.web.questions import PATIENCE_S, Questions
from waldur_slurm.gateway.web.recalling import PastOf
from waldur_slurm.gateway.web.seeds.controller_site import Controller
from waldur_slurm.gateway.web.seeds.proxy_site import Proxy
from waldur_slurm.gateway.web.seeds.restapi_site import RestApi
from waldur_slurm.gateway.web.seeing import see, see_after
from waldur_slurm.gateway.web.tally import Tally
from waldur_slurm.gateway.web.watch_site import Watching
from waldur_slurm.telemetry.events import Sink

MOST_BODY = 256 * 1024

T = TypeVar("T")
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Site:
    """What all requests share. `mark` is of this process: nothing of an earlier one fits it."""

    clusters: Mapping[str, ClusterPictures]
    default_cluster: str
    tell: Sink
    mark: str
    recorder: Recorder
    actors: Actors
    audit: Audit
    job_tokens: JobTokens
    submitter: Submitter
    tasks: Desk
    is_stopping: Callable[[], bool] = lambda: False
    crossing: Crossing = field(default_factory=Crossing)
    bodies: Bodies = field(default_factory=Bodies)
    restapi: RestApi = field(default_factory=RestApi)
    managed: Managed | None = None
    proxy: Proxy = field(default_factory=Proxy)
    controller: Controller | None = None
    """None: this is another gateway than slurm-controller."""
    pages: Pages | None = None
    """None: nobody can sign in to the dashboard."""
    watching: Watching | None = None
    tally: Tally = field(default_factory=Tally)
    open_files: OpenFiles = field(default_factory=OpenFiles)
    digests: Digests = field(default_factory=Digests)
    pasts: dict[str, PastOf] = field(default_factory=dict)
    patience_s: float = PATIENCE_S
    """How long anybody waits for the accounting."""
    questions: Questions = field(init=False)
    making: Making = field(init=False)

    def __post_init__(self) -> None:
        """Ask the accounting, and make what is shared, through the lane of each."""
        asked = Questions(self.crossing.accounting, self.patience_s)
        object.__setattr__(self, "questions", asked)
        object.__setattr__(self, "making", Making(self.bodies, self.crossing.bodies))


@dataclass(frozen=True, slots=True)
class Ask:
    request: Request
    principal: Principal
    site: Site
    request_id: str
    again: Callable[[], Awaitable[Principal]]
    """Asks once more who it is: a stream outlives many a token."""

    @property
    def cluster(self) -> ClusterPictures:
        """The cluster that the path names, or the default one."""
        name = self.request.path_params.get("cluster", self.site.default_cluster)
        try:
            return self.site.clusters[name]
        except KeyError:
            known = ", ".join(sorted(self.site.clusters))
            raise NotThere(f"there is no such cluster; there is {known}") from None

    @property
    def caller(self) -> Caller:
        return Caller(principal=self.principal, request_id=self.request_id)

    async def acting(self, user: str, work: Callable[[Actor], T]) -> T:
        """Do something as this user, by the hand, in the lane of the hands."""
        cluster = self.cluster.name

        def act() -> T:
            actor = self.site.actors.find(self.caller, user, cluster)
            with refusals():
                return work(actor)

        return await self.site.crossing.hands.run(act)

    async def see(self, keeper: Keeper[Value], *, younger_than: float = 0.0) -> Seen[Value]:
        return await see(keeper, self._lane_of(keeper), younger_than=younger_than)

    async def see_after(self, keeper: Keeper[Value], moment: float) -> Seen[Value]:
        return await see_after(keeper, self._lane_of(keeper), moment)

    def _lane_of(self, keeper: Keeper[Value]) -> Lane:
        """A silent slurmdbd must not hold up what slurmctld is asked."""
        crossing = self.site.crossing
        return crossing.accounting if keeper.asks_accounting else crossing.slurm

    @property
    def past(self) -> PastOf:
        """Single jobs of the accounting, asked for together with all who ask."""
        cluster, pasts = self.cluster, self.site.pasts
        return pasts.setdefault(cluster.name, PastOf(cluster.history))

    async def body(self, of: type[T], most_bytes: int = MOST_BODY) -> T:
        """Read a JSON body."""
        content = await self.content(most_bytes)
        try:
            return msgspec.json.decode(content, type=of)
        except (msgspec.DecodeError, RecursionError) as error:
            raise WrongAsk(f"the body: {error}") from None

    async def content(self, most_bytes: int = MOST_BODY) -> bytes:
        """Read the body; `TooLarge` before it is held."""
        parts, size = [], 0
        async for part in self.request.stream():
            size += len(part)
            if size > most_bytes:
                raise TooLarge(f"the body is larger than {most_bytes} bytes")
            parts.append(part)
        return b"".join(parts)

    def query(self, of: type[T]) -> T:
        """Read the query; whatever is not in `of` is a `WrongAsk`."""
        found, compared = self.compared_query(of)
        if compared:
            raise WrongAsk(f"{compared[0].name}: nothing is compared here")
        return found

    def compared_query(self, of: type[T]) -> tuple[T, tuple[Compared, ...]]:
        """Read a query that may hold comparisons too, such as `submit_time[gte]=...`."""
        plain, compared = split_comparisons(self.request.query_params.multi_items())
        known = _names(of)  # type: ignore[arg-type]  # mypy: not hashable
        for name in plain.keys() - known:
            raise WrongAsk(f"{name!r}: there is no such parameter; there is {_listed(known)}")
        try:
            return msgspec.convert(plain, of, strict=False), compared
        except msgspec.ValidationError as error:
            raise WrongAsk(str(error)) from None


Handler = Callable[[Ask], Awaitable[Response]]


@cache
def _names(of: type) -> frozenset[str]:
    """Find what a query may hold; looking it up takes longer than all else that is done with it."""
    return frozenset(item.encode_name for item in msgspec.structs.fields(of))


def _listed(names: Collection[str]) -> str:
    return ", ".join(sorted(names)) or "none"
