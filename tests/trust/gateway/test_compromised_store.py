"""What is written into the gateway's store makes nobody of whom root has not listed."""

import stat
from pwd import getpwnam

import pytest

from tests.e2e.gateway.acting import SMALL, ActingGateway, ActingSite
from tests.fixtures_hand import ANN, BOB, CALLER, STRANGER
from waldur_slurm.gateway.doors.scopes import Scope

EVERYTHING = ",".join(Scope)


@pytest.fixture
def forged(acting_site: ActingSite) -> str:
    """A token that whoever holds the store and its secret makes himself: for anybody, anything."""
    return acting_site.token("any", name="forged", scopes=EVERYTHING)


def test_a_forged_token_acts_for_nobody_whom_root_has_not_listed(
    acting_site: ActingSite, acting: ActingGateway, forged: str
) -> None:
    """Eve is a user as others are to the gateway: the hand says no to her."""
    before = acting_site.jobs_marked("")
    for user in ("root", "0", "daemon", "nobody", CALLER, STRANGER):
        answer = acting.submit(forged, user=user)
        assert (answer.status, answer.json["title"]) == (403, "Not allowed"), user
    assert acting_site.jobs_marked("") == before


def test_a_forged_token_is_the_power_over_listed_users_and_nothing_beyond_their_roots(
    acting_site: ActingSite, acting: ActingGateway, forged: str
) -> None:
    """A folder beside the roots can be a job's, as it could by sbatch; its files stay closed."""
    for user in (ANN, BOB):
        made = acting.submit(forged, user=user, options={**SMALL, "chdir": "/etc"})
        assert made.status == 201, made.body
        job = f"/api/v1/jobs/{made.json['job_id']}"
        assert acting.send(forged, "GET", f"{job}/files").status == 403
        assert acting.send(forged, "GET", f"{job}/files/passwd").status == 403


def test_the_store_and_its_secret_are_the_gateways_alone(
    acting_site: ActingSite, acting: ActingGateway, forged: str
) -> None:
    assert acting.submit(forged).status == 201
    state, gateway = acting_site.place / "state", getpwnam(CALLER).pw_uid

    for path in (state, *state.rglob("*"), acting_site.place / "audit.jsonl"):
        found = path.stat()
        assert (found.st_uid, stat.S_IMODE(found.st_mode) & 0o077) == (gateway, 0), path
