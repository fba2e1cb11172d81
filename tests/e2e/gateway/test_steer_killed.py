"""A kill at any moment of what is done to a job: asked again it is done, and to no other job."""

from collections.abc import Mapping
from functools import partial
from http.client import HTTPException

import pytest

from tests.e2e.gateway.acting import ActingGateway, ActingSite
from tests.e2e.program import eventually

MOMENTS = [(number, when) for number in ("0", "1") for when in ("before", "after")]
"""slurmctld is asked for the job, then it is acted upon: there is no third effect."""

VERBS: Mapping[str, tuple[str, str]] = {
    "cancel": ("DELETE", ""),
    "hold": ("POST", "/hold"),
    "requeue": ("POST", "/requeue"),
}


def asked(gateway: ActingGateway, token: str, verb: str, job: str, submitted: str) -> int | None:
    """Return the status; nothing where the gateway died."""
    method, rest = VERBS[verb]
    headers = {"If_Match": f'"{submitted}"'}
    try:
        return gateway.send(token, method, f"/api/v1/jobs/{job}{rest}", **headers).status
    except (OSError, HTTPException):
        return None


def show(site: ActingSite, job: str) -> str:
    return site.lab.must("scontrol", "--oneliner", "show", "job", job)


def is_done(site: ActingSite, verb: str, job: str) -> bool:
    shown = show(site, job)
    return {
        "cancel": "JobState=CANCELLED" in shown,
        "hold": "JobState=PENDING" in shown and "Priority=0" in shown,
        "requeue": "Restarts=1" in shown,
    }[verb]


WAITS: Mapping[str, Mapping[str, object]] = {
    "cancel": {"hold": True},
    "hold": {"begin": "now+1hour"},
    "requeue": {},
}


@pytest.mark.parametrize("verb", VERBS)
def test_a_kill_at_any_moment_of_an_act_is_mended_by_asking_again(
    acting_site: ActingSite, verb: str
) -> None:
    """A requeue is a new time of submission: so the one that was done is not done twice."""
    token = acting_site.token()
    with acting_site.running() as gateway:
        jobs = [gateway.submit(token, options=dict(WAITS[verb])).json for _ in range(6)]
    *meant, whole, beside = [(job["job_id"], job["submit_time"]) for job in jobs]
    if verb == "requeue":
        eventually(
            lambda: all("JobState=RUNNING" in show(acting_site, job) for job, _ in meant), "all run"
        )
    for job, moment in zip(meant, MOMENTS, strict=True):
        with acting_site.running(dies=moment) as gateway:
            assert asked(gateway, token, verb, *job) is None
            assert gateway.daemon.process.wait(60) == -9
    with acting_site.running(dies=("2", "before")) as gateway:
        assert asked(gateway, token, verb, *whole) == 204

    with acting_site.running() as gateway:
        again = [asked(gateway, token, verb, *job) for job in meant]

    assert again == [204, 204, 204, 412 if verb == "requeue" else 204]
    for number, _ in (*meant, whole):
        eventually(partial(is_done, acting_site, verb, number), f"{verb} of {number} is done")
    assert not is_done(acting_site, verb, beside[0])
