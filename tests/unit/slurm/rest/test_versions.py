"""A job that a client of today's slurmrestd describes, as an older one takes it."""

import json
from typing import Any

from tests.places import RECORDED
from waldur_slurm.slurm.rest.grammar.versions import in_version

TODAY: dict[str, Any] = next(
    json.loads(line["request"]["body"])
    for line in map(
        json.loads, (RECORDED / "gateway" / "proxy.jsonl").read_text("utf-8").splitlines()
    )
    if line["case"] == "passthrough submit"
)


def test_a_version_of_today_gets_it_as_it_came() -> None:
    assert in_version(TODAY, 42) is TODAY


def test_an_older_version_gets_numbers_names_and_the_script_in_its_own_shape() -> None:
    body = in_version(TODAY, 38)

    assert body["script"] == "#!/bin/bash\ntrue"
    assert body["job"]["memory_per_cpu"] == 100
    assert body["job"]["time_limit"] == 5
    assert body["job"]["environment"] == {"PATH": "/bin/:/usr/bin/:/sbin/"}
    assert "script" not in body["job"]


def test_what_is_not_set_is_not_said_and_what_is_without_end_is_said_so() -> None:
    job = {"nice": {"set": False, "number": 0}, "time_limit": {"set": True, "infinite": True}}

    assert in_version({"job": job}, 38)["job"] == {"time_limit": 2**32 - 1}


def test_what_is_no_job_stays_what_it_is() -> None:
    assert in_version({"job": "x"}, 38) == {"job": "x"}
