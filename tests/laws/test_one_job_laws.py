"""A token for one job opens that job's output, files and state, and nothing else, whatever it says.

The table of routes is the law's range: a route that is added is judged here at once.
"""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.cluster import BEGAN
from tests.unit.gateway.web.doors_site import DoorsSite
from waldur_slurm.gateway.doors.decide import Yes, decide
from waldur_slurm.gateway.doors.principals import Kind, OneJob, Principal
from waldur_slurm.gateway.doors.scopes import Scope, widened
from waldur_slurm.gateway.web.route import Public, Route
from waldur_slurm.gateway.web.routes import ROUTES

ITS_OWN = OneJob("lab", 1, BEGAN)
OTHERS = (
    OneJob("lab", 2, BEGAN),
    OneJob("lab", 1, BEGAN - timedelta(days=1)),
    OneJob("elsewhere", 1, BEGAN),
)
OPENED = {
    ("GET", "/jobs/{job_id}"),
    ("GET", "/jobs/{job_id}/reason"),
    ("GET", "/jobs/{job_id}/output"),
    ("GET", "/jobs/{job_id}/files"),
    ("GET", "/jobs/{job_id}/files/{path}"),
}


def named(route: Route) -> str:
    return f"{route.method} {route.path}"


def is_opened(route: Route) -> bool:
    below = route.path.removeprefix("/api/v1").removeprefix("/clusters/{cluster}")
    return (route.method, below) in OPENED


LOCKED = [route for route in ROUTES if not isinstance(route.scope, Public)]
OPEN_ROUTES = [route for route in LOCKED if is_opened(route)]


@pytest.mark.parametrize("route", LOCKED, ids=named)
def test_it_opens_what_is_listed_here_and_nothing_else(route: Route) -> None:
    site = DoorsSite()

    answer = site.ask(route, site.token(Scope, job=ITS_OWN))

    assert answer.status == (200 if is_opened(route) else 403)


@pytest.mark.parametrize("route", OPEN_ROUTES, ids=named)
@pytest.mark.parametrize("job", OTHERS, ids=str)
def test_another_job_of_the_same_user_is_as_one_that_is_not_there(
    route: Route, job: OneJob
) -> None:
    site = DoorsSite()

    assert site.ask(route, site.token(Scope, job=job)).status == 404


def test_every_route_that_is_listed_here_is_there() -> None:
    assert len(OPEN_ROUTES) == 2 * len(OPENED)


@given(st.frozensets(st.sampled_from(Scope)).map(widened), st.sampled_from(Scope))
def test_no_scope_makes_more_of_it(scopes: frozenset[Scope], scope: Scope) -> None:
    holder = Principal(Kind.TOKEN, "x", scopes, job=ITS_OWN)

    assert not isinstance(decide(holder, scope), Yes)
    assert isinstance(decide(holder, scope, is_of_one_job=True), Yes) == (scope in scopes)
