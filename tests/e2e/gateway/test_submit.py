"""Jobs handed in over HTTP, on a real Slurm: as the right user, and once for each key."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from tests.e2e.gateway.acting import ActingGateway, ActingSite
from tests.fixtures_hand import ANN, BOB


def test_a_job_is_its_users_and_the_answer_says_all_of_it(
    acting_site: ActingSite, acting: ActingGateway
) -> None:
    token = acting_site.token()
    answer = acting.submit(token, "one")
    placed = answer.json

    assert answer.status == 201, answer.body
    shown = acting_site.lab.must("scontrol", "show", "job", placed["job_id"])
    assert f"UserId={ANN}(" in shown
    assert (placed["cluster"], placed["work_dir"]) == ("lab", "/tmp")  # noqa: S108 - as asked
    assert (placed["stdout"], placed["stderr"]) == ("/dev/null", "/dev/null")
    submitted = datetime.fromisoformat(placed["submit_time"])
    assert f"SubmitTime={submitted.astimezone():%Y-%m-%dT%H:%M:%S}" in shown
    assert answer.headers["location"] == f"/api/v1/clusters/lab/jobs/{placed['job_id']}"


def test_a_key_makes_one_job_however_many_ask_at_once(
    acting_site: ActingSite, acting: ActingGateway
) -> None:
    token = acting_site.token()
    with ThreadPoolExecutor(50) as pool:
        answers = [*pool.map(lambda _: acting.submit(token, "all", mark="all:1"), range(50))]
    last = acting.submit(token, "all", mark="all:1")

    assert {answer.status for answer in answers} <= {200, 201, 409}
    assert [answer.status for answer in answers].count(201) == 1
    assert last.status == 200
    bodies = {answer.body for answer in answers if answer.status != 409}
    assert bodies == {last.body}
    assert acting_site.jobs_marked("all:1") == {int(last.json["job_id"]): "all:1"}
    busy = [answer for answer in answers if answer.status == 409]
    assert all(answer.headers["retry-after"] for answer in busy)


def test_two_users_and_two_owners_share_no_key(
    acting_site: ActingSite, acting: ActingGateway
) -> None:
    mine, theirs = acting_site.token(name="mine"), acting_site.token(name="theirs")

    first = acting.submit(mine, "k", user=ANN)
    other_user = acting.submit(mine, "k", user=BOB)
    other_owner = acting.submit(theirs, "k", user=BOB)

    assert [first.status, other_user.status, other_owner.status] == [201, 409, 201]
    assert other_user.json["type"].endswith(":other-body")
    assert first.json["job_id"] != other_owner.json["job_id"]
