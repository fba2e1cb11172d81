"""Tasks on a real Slurm: they run as their user, where and as they say, and once."""

import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from pwd import getpwnam

import pytest

from sandbox.slurm.ports import claim_ports
from tests.e2e.gateway.acting import HONEST, LOSES_ITS_ANSWER, ActingGateway, ActingSite
from tests.e2e.gateway.task_site import TASKS, TaskSite, submit
from tests.e2e.program import eventually
from tests.fixtures_hand import ANN, BOB

AS_TEXT = "A=1,2,PATH=/bin"


@pytest.fixture
def site(acting_site: ActingSite) -> TaskSite:
    return TaskSite.make(acting_site)


def is_anns(path: Path) -> bool:
    found, ann = path.stat(), getpwnam(ANN)
    return (found.st_uid, found.st_gid) == (ann.pw_uid, ann.pw_gid)


def test_the_documents_hello_world_runs_and_writes_its_output(
    site: TaskSite, acting: ActingGateway
) -> None:
    token = site.token()
    answer = submit(acting, token, site.hello("hello"))

    assert answer.status == 201, answer.body
    job = answer.json["job_id"]
    shown = site.acting.lab.must("scontrol", "show", "job", job)
    for said in (
        f"UserId={ANN}(", "JobName=slurm-proxy-test.generic", "Partition=hpcz-test",
        "TimeLimit=1-06:00:00", "MinMemoryNode=1000M", "NumNodes=1", f"WorkDir={site.home}",
    ):  # fmt: skip
        assert said in shown
    site.wait_for_end(job)
    place = site.home / "slurm-proxy-test"
    output = place / "output" / "slurm-proxy-test.generic.output.txt"
    error = place / "error" / "slurm-proxy-test.generic.error.txt"
    assert re.fullmatch(
        rf"hello, world! \(sent job {job} to {ANN} at \w{{3}} \w{{3}} .* 20\d\d\)\n",
        output.read_text(),
    )
    assert error.read_text() == ""
    assert all(map(is_anns, (place, place / "input", output.parent, error.parent, output)))
    assert acting.send(token, "GET", f"{TASKS}/hello").json["job_id"] == job


def test_what_a_client_writes_is_read_by_the_jobs_own_bash_alone(
    site: TaskSite, acting: ActingGateway
) -> None:
    token, mark = site.token(), site.home / "mark"
    text = f'it\'s "$HOME" `touch {mark}` \n#SBATCH --job-name=other\n#PBS -N other\n ö'
    plain = submit(
        acting,
        token,
        site.sleeper(
            "plain", cmd="printf", params=[], args=["%s|", text, "-x", ""], slurm={
                "job_name": "plain", "mem": 10, "output": "out", "environment": {"A": "1\n'2'"},
            },
        ),
    )  # fmt: skip
    read = submit(
        acting,
        token,
        site.sleeper(
            "read",
            cmd="printf %s",
            params=['"$A|$(id -un)|${HOME-none}|it\'s"', "\n#PBS -N other"],
            slurm={"job_name": "read", "mem": 10, "output": "out", "environment": AS_TEXT},
        ),
    )

    assert (plain.status, read.status) == (201, 201), (plain.body, read.body)
    for answer in (plain, read):
        site.wait_for_end(answer.json["job_id"])
    assert {"plain", "read"} <= {*site.names()}
    assert "other" not in site.names()
    assert (site.home / "tasks/plain/out").read_text() == f"{text}|-x||"
    assert not mark.exists()
    assert (site.home / "tasks/read/out").read_text() == f"1,2|{ANN}|none|it's"


def test_a_sites_names_have_their_defaults(site: TaskSite) -> None:
    names = site.acting.place / "names.yaml"
    names.write_text("tasks:\n  nightly: {cmd: echo, params: [night], environment: {A: '1'}}\n")
    token = site.token()
    with site.acting.running(GATEWAY_TASK_NAMES=str(names)) as gateway:
        task = {key: value for key, value in site.sleeper("n").items() if key != "cmd"}
        slurm = {"job_name": "n", "mem": 10, "output": "out"}
        nightly = submit(
            gateway, token, {**task, "name": "nightly", "params": ["$A"], "slurm": slurm}
        )
        shipped = submit(gateway, token, {**task, "uuid": "h", "name": "echo_hello_world"})
        unknown = submit(gateway, token, {**task, "uuid": "u", "name": "nosuch"})
        site.wait_for_end(nightly.json["job_id"])

    assert (shipped.status, unknown.status) == (201, 400)
    assert "there is echo_hello_world, generic, nightly" in unknown.json["detail"]
    assert (site.home / "tasks/n/out").read_text() == "night 1\n"


def test_a_file_of_names_that_is_wrong_ends_the_gateway_at_its_start(site: TaskSite) -> None:
    names = site.acting.place / "names.yaml"
    names.write_text("tasks:\n  nightly: {command: echo}\n")
    claimed = claim_ports(1)
    with closing(claimed.claim):
        changes = {"GATEWAY_TASK_NAMES": str(names)}
        done = site.acting.program(claimed.first, changes=changes).run()

    assert done.returncode == 78
    assert "GATEWAY_TASK_NAMES" in done.stderr
    assert "unknown field `command`" in done.stderr


def test_one_uuid_at_the_same_moment_is_one_job(site: TaskSite, acting: ActingGateway) -> None:
    token = site.token()
    with ThreadPoolExecutor(30) as pool:
        answers = [*pool.map(lambda _: submit(acting, token, site.sleeper("same")), range(30))]

    statuses = [answer.status for answer in answers]
    print(f"30 at once: {statuses.count(201)} made, {statuses.count(409)} busy")  # noqa: T201 - the proof
    assert statuses.count(201) == 1
    assert {*statuses} <= {200, 201, 409}
    for answer in answers:
        if answer.status == 409:
            assert answer.json["type"] == "urn:slurm-gateway:problem:busy"
            assert int(answer.headers["retry-after"]) >= 1
    assert submit(acting, token, site.sleeper("same")).status == 200
    assert site.names().count("same") == 1


def test_what_is_refused_has_its_kind_and_frees_the_uuid(
    site: TaskSite, acting: ActingGateway
) -> None:
    token = site.token()
    refused = {
        "partition": site.sleeper("r", partition="nowhere"),
        "account": site.sleeper("r", slurm={"account": "nobodys", "mem": 10}),
        "name": site.sleeper("r", name="nosuch"),
        "outside": site.sleeper("r", dirs={"output": "/etc/tasks"}),
        "no directory": site.sleeper("r", dirs={"output": f"{site.home}/file/below"}),
        "newline": site.sleeper("r", slurm={"job_name": "a\n#SBATCH -A x"}),
        "option": site.sleeper("r", slurm={"account": "physics --uid=0"}),
        "another user": site.sleeper("r", username="root"),
        "a number": site.sleeper("r", username="0"),
    }
    (site.home / "file").write_text("")
    ends = {}
    for kind, task in refused.items():
        answer = submit(acting, token, task)
        ends[kind] = answer.status
        assert acting.send(token, "GET", TASKS).json["tasks"] == [], kind

    assert ends == {
        "partition": 422, "account": 422, "name": 400, "outside": 403, "no directory": 422,
        "newline": 422, "option": 422, "another user": 403, "a number": 403,
    }  # fmt: skip
    assert submit(acting, token, site.sleeper("r")).status == 201
    other = submit(acting, token, site.sleeper("r", params=["1"]))
    assert (other.status, other.json["type"]) == (409, "urn:slurm-gateway:problem:other-body")
    assert not Path("/etc/tasks").exists()


def test_an_accounting_that_is_away_or_late_is_no_error(
    site: TaskSite, acting: ActingGateway
) -> None:
    token, lab = site.token(), site.acting.lab
    lab.stop_daemon("slurmdbd")
    try:
        made = submit(acting, token, site.sleeper("late"))
        again = submit(acting, token, site.sleeper("late"))
    finally:
        lab.start_daemon("slurmdbd")

    assert (made.status, again.status) == (201, 200)
    assert made.json["job_id"] == again.json["job_id"]


def test_each_act_is_in_the_audit_log_and_tasks_are_their_owners(
    site: TaskSite, acting: ActingGateway
) -> None:
    submit(acting, site.token(), site.sleeper("mine"))
    bobs = site.token(BOB, name="bobs")

    (act,) = [each for each in site.acting.acts() if each["event"] == "task.submit"]
    assert act["fields"]["user"] == ANN
    assert act["fields"]["directories"] == [f"{site.home}/tasks/mine"]
    assert acting.send(bobs, "GET", f"{TASKS}/mine").status == 404
    assert submit(acting, bobs, site.sleeper("mine")).status == 403


def test_a_lost_answer_is_found_without_anybody_asking(site: TaskSite) -> None:
    token = site.token()
    with site.acting.running(GATEWAY_COMMAND_TIMEOUT="2s") as gateway:
        site.acting.sbatch(LOSES_ITS_ANSWER)
        assert submit(gateway, token, site.sleeper("lost")).status == 504
        site.acting.sbatch(HONEST)

        def job() -> str | None:
            found: str | None = gateway.send(token, "GET", f"{TASKS}/lost").json["job_id"]
            return found

        eventually(lambda: job() is not None, "the job is found", 60.0)
        assert submit(gateway, token, site.sleeper("lost")).status == 200
    assert site.names().count("lost") == 1
