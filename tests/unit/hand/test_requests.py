"""One request is read whole, or refused in a sentence."""

import json
from typing import Any

import pytest

from waldur_slurm.hand.errors import Refused
from waldur_slurm.hand.requests import (
    Put,
    Request,
    Slurm,
    Take,
    parse_request,
    to_wire,
    variables_file,
)


def read(verb: str, **fields: Any) -> Request:
    return parse_request(json.dumps(to_wire(verb, "ann", **fields)).encode())


def test_a_request_names_its_user_and_one_act() -> None:
    put = read("put", path="/home/ann/a b", mode=0o640, most=10, replace=True)
    take = read("take", path="/home/ann/caf\udce9", offset=-4, length=None)

    assert put == Request("ann", Put((b"home", b"ann", b"a b"), 0o640, 10, True))
    assert take == Request("ann", Take((b"home", b"ann", b"caf\xe9"), -4, None))


def test_slurms_tools_take_their_table_and_a_jobs_variables() -> None:
    asked = {"argv": ["sbatch", "--hold"], "environ": {"TZ": "UTC"}, "timeout_s": 5}

    request = read("slurm", variables={"A": "x\ny", "PATH": "/bin"}, **asked)

    assert request.act == Slurm(
        ("sbatch", "--hold"), {"TZ": "UTC"}, {"A": "x\ny", "PATH": "/bin"}, 5
    )
    assert variables_file({"A": "x\ny", "B": ""}) == b"A=x\ny\0B=\0"


@pytest.mark.parametrize(
    ("verb", "fields", "why"),
    [
        ("run", {}, "none of slurm, make"),
        ("stat", {}, "stat takes path"),
        ("stat", {"path": "/a", "follow": True}, "stat takes path"),
        ("stat", {"path": "a"}, "a path is absolute"),
        ("stat", {"path": None}, "a path is absolute"),
        ("stat", {"path": "/" + "a/" * 3000}, "a path is absolute"),
        ("stat", {"path": "/a/../b"}, "not the name"),
        ("stat", {"path": "/a/\ud800"}, "UTF-8"),
        ("make", {"path": "/a", "mode": 0o4755, "parents": False}, "whole number"),
        ("make", {"path": "/a", "mode": True, "parents": False}, "whole number"),
        ("make", {"path": "/a", "mode": 0, "parents": 1}, "true or false"),
        ("take", {"path": "/a", "offset": 0.5, "length": 1}, "whole number"),
        ("list", {"path": "/a", "depth": 65, "most": 1}, "whole number"),
        ("who", {"path": "/a"}, "who takes"),
        ("remove", {"path": "/a", "keep": "all"}, "a list"),
        ("remove", {"path": "/a", "keep": ["a/b"]}, "not the name"),
        ("slurm", {"argv": "sbatch", "environ": {}, "variables": {}, "timeout_s": 1}, "argv"),
        ("slurm", {"argv": ["id"], "environ": {}, "variables": {}, "timeout_s": 1}, "none of"),
        (
            "slurm",
            {"argv": ["sbatch"], "environ": {"LD_PRELOAD": "x"}, "variables": {}, "timeout_s": 1},
            "may not be told",
        ),
        (
            "slurm",
            {"argv": ["sbatch"], "environ": {}, "variables": {"A=B": "x"}, "timeout_s": 1},
            "name without =",
        ),
        (
            "slurm",
            {"argv": ["sbatch"], "environ": {}, "variables": {"A": "x\0"}, "timeout_s": 1},
            "without NUL",
        ),
        (
            "slurm",
            {"argv": ["sbatch"], "environ": {}, "variables": {"A": "x" * 600_000}, "timeout_s": 1},
            "more than",
        ),
    ],
)
def test_what_is_outside_of_the_grammar_is_refused(
    verb: str, fields: dict[str, Any], why: str
) -> None:
    with pytest.raises(Refused, match=why):
        read(verb, **fields)


@pytest.mark.parametrize(
    "payload", [b"", b"{", b"[]", b"1", b"\xff", b"[" * 100_000, b'{"user":1}']
)
def test_what_is_no_request_is_refused(payload: bytes) -> None:
    with pytest.raises(Refused):
        parse_request(payload)
