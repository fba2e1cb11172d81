"""What the table of routes says of itself: the OpenAPI document, and docs/gateway-api.md. Pure."""

import re
from collections.abc import Iterable, Iterator
from typing import Any, get_args, get_origin

import msgspec

from waldur_slurm.gateway.doors.scopes import MEANING, Scope
from waldur_slurm.gateway.errors import GatewayError
from waldur_slurm.gateway.surfaces import Surface
from waldur_slurm.gateway.web.native.filters import COMPARISONS
from waldur_slurm.gateway.web.native.spelling import JOB_ID, compared_schema
from waldur_slurm.gateway.web.route import Public, Route

JSON = "application/json"
_REFERENCE = "#/components/schemas/{name}"
_PARAMETER = re.compile(r"{(\w+)}")

_OPENING = """\
# The gateway's API

Each route with who may ask it. `/api/v1/openapi.json` says the same for programs, with every field.
This page is made from the code:
`python3 -m waldur_slurm.gateway.web.reference > docs/gateway-api.md`.

Lists come page by page: `limit`, and `cursor` with the `next` of the page before. A page goes on
after the last job of the one before, in the list as it is by then: as long as it is sorted by what
does not change, such as `job_id` or `submit_time`, no job comes twice, and none is left out but one
that came or went meanwhile. A cursor serves whoever was given it, for the same question, until the
gateway is started anew; any other one is 400.

What is compared is written `submit_time[gte]=2026-11-30T00:00:00Z`, with `eq`, `gt`, `gte`, `lt` or
`lte`. Answers about Slurm carry their `Age` and an `ETag`: ask with `If-None-Match`, and an
unchanged one costs nothing. A history that the accounting has not told within 30 s is 503: ask
again after `Retry-After`, or for a shorter time. Each route that is about a cluster is there below
`/api/v1/clusters/{cluster}` too.
"""


class Problem(msgspec.Struct, frozen=True):
    """Why a request was not done. `type` never changes; `detail` is for people.

    `refusal` is there where the type is `refused`; `limit` is Slurm's name of the one that was met.
    """

    type: str
    title: str
    status: int
    detail: str
    request_id: str
    refusal: str | msgspec.UnsetType = msgspec.UNSET
    limit: str | msgspec.UnsetType | None = msgspec.UNSET


def document(routes: Iterable[Route], version: str) -> dict[str, Any]:
    """Write the OpenAPI 3.1 document of the native routes."""
    native = [route for route in routes if route.surface is Surface.NATIVE]
    named = {kind for route in native for kind in (route.body, _one(route.answer)) if kind}
    named |= {kind for route in native for kind in route.also}
    _, schemas = msgspec.json.schema_components([Problem, *named], ref_template=_REFERENCE)
    paths: dict[str, dict[str, Any]] = {}
    for route in native:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {"title": "slurm-gateway", "version": version},
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(route: Route) -> dict[str, Any]:
    made: dict[str, Any] = {
        "summary": route.says,
        "operationId": _operation_id(route),
        "parameters": [
            *_path_parameters(route),
            *_query_parameters(route),
            *_parameters(route.headers, "header"),
        ],
        "responses": dict(_responses(route)),
    }
    if isinstance(route.scope, Public):
        made["security"] = []
    else:
        made["description"] = f"Needs the scope `{route.scope}`."
    if route.body:
        made["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": _reference(route.body)}},
        }
    return made


def _responses(route: Route) -> Iterator[tuple[str, dict[str, Any]]]:
    yield str(route.status), _success(route)
    if route.also:
        either = {"anyOf": [_reference(kind) for kind in route.also]}
        yield "200", {"description": "what is instead", "content": {JSON: {"schema": either}}}
    refusal = {"application/problem+json": {"schema": _reference(Problem)}}
    yield "default", {"description": "why not", "content": refusal}


def _success(route: Route) -> dict[str, Any]:
    if route.status == 204:
        return {"description": "done"}
    words = "what was made" if route.status == 201 else "what was asked for"
    return {"description": words, "content": _contents(route)}


def _operation_id(route: Route) -> str:
    words = re.findall(r"\w+", route.path.removeprefix("/api/v1"))
    return "_".join([route.method.lower(), *words])


def _path_parameters(route: Route) -> Iterator[dict[str, Any]]:
    for name in _PARAMETER.findall(route.path):
        schema = JOB_ID if name == "job_id" else {"type": "string"}
        yield {"name": name, "in": "path", "required": True, "schema": schema}


def _query_parameters(route: Route) -> Iterator[dict[str, Any]]:
    for name, kind in route.compared.items():
        for comparison in COMPARISONS:
            schema = compared_schema(kind)
            yield {"name": f"{name}[{comparison}]", "in": "query", "schema": schema}
    yield from _parameters(route.query, "query")


def _parameters(kind: type | None, where: str) -> Iterator[dict[str, Any]]:
    if kind is None:
        return
    schema = next(iter(msgspec.json.schema(kind)["$defs"].values()))
    for name, described in schema["properties"].items():
        said = {"description": described.pop("description")} if "description" in described else {}
        yield {"name": name, "in": where, "required": False, **said, "schema": described}


def _contents(route: Route) -> dict[str, Any]:
    """Say what comes back, in each way that it may; what is no JSON has no schema."""
    value = _reference(route.answer) if route.answer else {}
    return {kind: {"schema": value if kind == JSON else {}} for kind in route.media_types}


def _one(kind: type | None) -> type | None:
    """Return what a list is of; else the type itself."""
    items = get_args(kind) if get_origin(kind) is list else ()
    return items[0] if items else kind


def _reference(kind: type) -> dict[str, Any]:
    one = _one(kind)
    if one is not None and one is not kind:
        return {"type": "array", "items": _reference(one)}
    return {"$ref": _REFERENCE.format(name=kind.__name__)}


def page(routes: Iterable[Route]) -> str:
    """Write docs/gateway-api.md."""
    shown = [route for route in routes if "/clusters/{cluster}/" not in route.path]
    parts = [_OPENING]
    for surface in Surface:
        rows = [_row(route) for route in shown if route.surface is surface]
        if rows:
            head = ["| | route | scope | |", "|---|---|---|---|"]
            parts.append("\n".join([f"## {_TITLES[surface]}", "", *head, *rows, ""]))
    meanings = [f"| `{scope}` | {MEANING[scope]} |" for scope in Scope]
    parts.append("\n".join(["## Scopes", "", "| scope | allows to |", "|---|---|", *meanings, ""]))
    kinds = [f"| `{kind.kind}` | {kind.status} | {kind.title} |" for kind in _kinds(GatewayError)]
    head = ["## Refusals", "", "| type | status | |", "|---|---|---|"]
    parts.append("\n".join([*head, *kinds, ""]))
    return "\n".join(parts)


_TITLES = {
    Surface.NATIVE: "The native API",
    Surface.RESTAPI: "As Slurm RestAPI had it",
    Surface.SLURMER: "As Slurmer had it",
    Surface.PROXY: "As slurm-proxy had it",
    Surface.PAGES: "The dashboard",
    Surface.WATCH: "For those who watch it",
    Surface.CONTROLLER: "As slurm-controller had it, by `slurm-controller` alone",
}


def _row(route: Route) -> str:
    scope = "anybody" if isinstance(route.scope, Public) else f"`{route.scope}`"
    return f"| {route.method} | `{route.path}` | {scope} | {route.says} |"


def _kinds(root: type[GatewayError]) -> Iterator[type[GatewayError]]:
    """Every refusal that a request may meet, by its status."""
    found = {root}
    while more := {sub for kind in found for sub in kind.__subclasses__()} - found:
        found |= more
    named = {kind.kind: kind for kind in found if "kind" in vars(kind)}
    return iter(sorted(named.values(), key=lambda kind: (kind.status, kind.kind)))
