"""A gateway that acts by ssh, as one login user of another host, on a real Slurm by a real sshd."""

from collections.abc import Iterator
from pwd import getpwnam
from threading import Thread

import pytest

from tests.e2e.gateway.acting import ActingGateway, ActingSite
from tests.e2e.gateway.gateway import Answer
from tests.e2e.gateway.test_submit_once import names, settled, submit
from tests.fixtures_hand import ANN, BOB
from tests.sandbox.processes import eventually

SOON_S = 20.0


@pytest.fixture
def by_ssh(acting_site: ActingSite) -> Iterator[ActingGateway]:
    with acting_site.running("ssh", GATEWAY_COMMAND_TIMEOUT="5s") as gateway:
        yield gateway


def test_a_job_is_handed_in_read_and_cancelled_as_the_login_user(
    acting_site: ActingSite, by_ssh: ActingGateway
) -> None:
    token, home = acting_site.token(), acting_site.hand.home(ANN)
    options = {"chdir": str(home), "output": "said", "job-name": "by-ssh"}
    made = by_ssh.submit(token, "k", options=options, script="#!/bin/sh\nid -un\nsleep 600\n")
    assert made.status == 201, made.body
    job = f"/api/v1/jobs/{made.json['job_id']}"

    assert eventually(
        lambda: by_ssh.send(token, "GET", f"{job}/output").body == b"wsat-ann\n", SOON_S
    )
    assert (home / "said").stat().st_uid == getpwnam(ANN).pw_uid
    again = by_ssh.submit(token, "k", options=options, script="#!/bin/sh\nid -un\nsleep 600\n")
    assert (again.status, again.json["job_id"]) == (200, made.json["job_id"])
    cancelled = by_ssh.send(token, "DELETE", job)
    assert cancelled.status in (200, 202, 204), cancelled.body
    assert eventually(lambda: "CANCELLED" in str(by_ssh.send(token, "GET", job).body), SOON_S)
    assert names(acting_site)["by-ssh"] == 1


def test_another_user_is_refused_by_name_and_nothing_is_left_behind(
    acting_site: ActingSite, by_ssh: ActingGateway
) -> None:
    token = acting_site.token()

    refused = submit(by_ssh, token, "bobs", user=BOB)

    assert refused is not None
    assert (refused.status, refused.json["type"].rpartition(":")[2]) == (403, "denied")
    assert f"is {ANN} on 127.0.0.1, and acts as nobody else" in refused.json["detail"]
    assert names(acting_site)["bobs"] == 0


@pytest.mark.parametrize(
    "text", ['real "$@"; touch BEGUN; sleep 8', 'touch BEGUN; sleep 4; real "$@"']
)
def test_an_ssh_that_is_killed_in_the_middle_costs_no_job_and_makes_no_second(
    acting_site: ActingSite, by_ssh: ActingGateway, text: str
) -> None:
    begun = acting_site.hand.home(ANN) / "begun"
    key = f"killed-{text.startswith('real')}"
    acting_site.sbatch(text.replace("BEGUN", str(begun)))
    token, answers = acting_site.token(), list[Answer | None]()
    thread = Thread(target=lambda: answers.append(submit(by_ssh, token, key)))
    thread.start()
    assert eventually(begun.exists, SOON_S)

    assert acting_site.kill_ssh()
    thread.join(30)

    (lost,) = answers
    assert lost is not None
    assert lost.json["type"].endswith(":outcome-unknown"), lost.body
    acting_site.sbatch('real "$@"')
    known = settled(by_ssh, token, key)
    assert known.status in (200, 201)
    assert names(acting_site)[key] == 1


def test_a_login_host_that_is_away_costs_no_job(acting_site: ActingSite) -> None:
    token = acting_site.token()
    with acting_site.running("ssh", GATEWAY_CLUSTERS="lab", GATEWAY_SSH_PORT="1") as gateway:
        answer = submit(gateway, token, "away")

    assert answer is not None
    assert answer.status == 503
    assert "the hand was not reached" in answer.json["detail"]
    assert names(acting_site)["away"] == 0
