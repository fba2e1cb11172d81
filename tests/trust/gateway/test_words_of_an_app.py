"""Whatever text a client of Slurmer's sends, it comes out of the template as the words it is.

The job itself tells its arguments and its name; else it is refused, and there is none.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.e2e.gateway.slurmer_site import APP, Slurmer, SlurmerSite
from tests.e2e.program import eventually
from tests.trust.hostile import ANY_TEXT, fuzzed
from tests.trust.size import count

TELL = "import json, os, sys; print(json.dumps([sys.argv[1:], os.environ['SLURM_JOB_NAME']]))"
NAMELESS = "batch.sh"
"""What a job is called for which Slurmer was given no name, or an empty one."""
HOSTILE = {"args": st.lists(ANY_TEXT, max_size=4), "job_name": ANY_TEXT}
ASKED = st.sampled_from([*HOSTILE]).flatmap(
    lambda field: st.fixed_dictionaries({field: HOSTILE[field]})
)


@pytest.fixture
def slurmer(slurmer_site: SlurmerSite) -> Iterator[Slurmer]:
    with slurmer_site.running() as started:
        yield started


def test_a_job_of_an_app_is_what_was_asked_for_or_there_is_none(
    slurmer: Slurmer, slurmer_site: SlurmerSite
) -> None:
    taken: dict[str, dict[str, Any]] = {}

    @fuzzed(40, 2000)
    @given(ASKED)
    def check(hostile: dict[str, Any]) -> None:
        plain = {"account": "physics", "command": "python3", "job_name": "plain", "mem": "10"}
        asked = {**plain, "args": [], **hostile}
        told = {**asked, "args": ["-c", TELL, *asked["args"]]}
        made = slurmer.send("POST", f"/apps/{APP}/jobs", told)
        count(f"words of an app's job: {made.status}")
        if made.status != 201:
            assert made.status in (400, 422), made
            return
        job = f"/apps/{APP}/jobs/{made.json['id']}"
        if slurmer.send("PUT", f"{job}/start").status == 204:
            taken[job] = asked
        else:
            # Slurm takes no script with such line breaks: it says so, and there is no job.
            assert any("\r\n" in word for word in asked["args"]), asked
            assert slurmer.send("DELETE", job).status == 200

    check()

    assert len(taken) > 5
    assert len([*slurmer_site.directory("").iterdir()]) == len(taken)
    for job, asked in taken.items():
        eventually(lambda: slurmer.status(job) == "stopped", "the job has ended")  # noqa: B023 - called at once
        out = slurmer.send("GET", f"{job}/out").body
        assert json.loads(out) == [asked["args"], asked["job_name"] or NAMELESS]
