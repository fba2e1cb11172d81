"""A task as it is handed to sbatch: what the document says, and what its code did."""

from typing import Any

import pytest

from tests.unit.gateway.tasks.makers import GREETING, UUID, hello, planned, shipped, small, task
from waldur_slurm.gateway.errors import GatewayError, Refused, TooLarge, WrongAsk
from waldur_slurm.gateway.post.letter import Method, Occasion
from waldur_slurm.gateway.tasks.names import parse_names
from waldur_slurm.gateway.tasks.plan import MOST_COMMAND, plan
from waldur_slurm.gateway.tasks.task import Reading, parse_task

PLACE = "/home/ann/slurm-proxy-test"


def options(**slurm: Any) -> dict[str, str | None]:
    return dict(plan(parse_task(small(**slurm), Reading.DOCUMENT), shipped()).sheet.options)


def test_the_documents_task_becomes_what_it_says() -> None:
    made = planned()

    assert made.sheet.options == {
        "job-name": "slurm-proxy-test.generic",
        "comment": UUID,
        "chdir": "/home/ann",
        "output": f"{PLACE}/output/slurm-proxy-test.generic.output.txt",
        "error": f"{PLACE}/error/slurm-proxy-test.generic.error.txt",
        "partition": "hpcz-test",
        "nodes": "1",
        "cpus-per-task": "1",
        "ntasks-per-node": "1",
        "mem": "1000M",
        "time": "1800",
    }
    assert made.directories == (PLACE, f"{PLACE}/input", f"{PLACE}/output", f"{PLACE}/error")
    assert made.sheet.variables == {"PATH": "/bin/:/usr/bin/:/sbin/"}
    assert made.sheet.script == (
        "#!/bin/bash\nexec srun --cpus-per-task=1 /bin/bash -c $'echo -e " + GREETING + "'\n"
    )
    assert made.notice.methods == {Method.EMAIL: hello()["notification"]["params"]["email"]}
    assert made.notice.occasions == {Occasion.TERMINAL}


def test_the_originals_code_reads_minutes_and_memory_for_each_cpu() -> None:
    made = planned(Reading.ORIGINAL).sheet.options

    assert (made["time"], made["mem-per-cpu"]) == ("30", "1000M")
    assert "mem" not in made


def test_numbers_may_come_as_text() -> None:
    made = options(time="5", mem="1000", nodes="2", cpus_per_task="3")

    assert (made["time"], made["mem"], made["nodes"], made["cpus-per-task"]) == (
        "300", "1000M", "2", "3",
    )  # fmt: skip


def test_every_field_has_its_option() -> None:
    made = options(
        job_name="n", mem_per_cpu="2G", ntasks=4, partition="p", account="a", qos="q",
        time_limit="1-00:00:00", array="1-4%2", dependency="afterok:12", gres="gpu:1",
        gpus="a100:2", constraint="fast", reservation="r", exclusive="user", begin="now+1hour",
        nice=-5, licenses="l:1", comment="what it is for", hold=True, output="o.%j", error="e",
    )  # fmt: skip

    assert made == {
        "job-name": "n", "comment": f"{UUID} what it is for", "output": "o.%j", "error": "e",
        "partition": "p", "account": "a", "qos": "q", "array": "1-4%2",
        "dependency": "afterok:12", "gres": "gpu:1", "constraint": "fast", "reservation": "r",
        "begin": "now+1hour", "licenses": "l:1", "gpus": "a100:2", "nice": "-5", "ntasks": "4",
        "hold": None, "exclusive": "user", "mem-per-cpu": "2G", "time": "1-00:00:00",
    }  # fmt: skip


def test_a_job_may_have_nodes_alone_and_a_time_in_minutes() -> None:
    made = options(exclusive=True, time_limit=90)

    assert (made["exclusive"], made["time"]) == (None, "90")


def test_output_without_a_name_lies_in_its_directory_by_the_jobs_number() -> None:
    given = {**small(), "dirs": {"output": "/data/50%/o/", "error": "/data/e"}}
    made = plan(parse_task(given, Reading.DOCUMENT), shipped()).sheet.options

    assert made["output"] == "/data/50%%/o/slurm-%j.out"
    assert made["error"] == "/data/e/slurm-%j.err"


@pytest.mark.parametrize(
    ("told", "wanted"),
    [
        ("A=1,B=2", {"A": "1", "B": "2"}),
        ("A=1,2,B=", {"A": "1,2", "B": ""}),
        (["A=1,B=2"], {"A": "1,B=2"}),
        ({"A": "x\ny"}, {"A": "x\ny"}),
        ("", {}),
    ],
)
def test_an_environment_is_read_in_each_way_to_write_it(told: Any, wanted: dict[str, str]) -> None:
    made = plan(parse_task(small(environment=told), Reading.DOCUMENT), shipped())

    assert made.sheet.variables == wanted


def test_a_login_s_environment_is_sbatchs_matter() -> None:
    made = plan(parse_task(small(export="ALL"), Reading.DOCUMENT), shipped())

    assert (made.sheet.variables, made.sheet.options["export"]) == (None, "ALL")


def test_a_script_is_handed_in_as_it_is() -> None:
    script = "#!/bin/sh\n#SBATCH --nice\necho it\\'s\n"
    given = {"uuid": UUID, "username": "ann", "script": script}

    assert plan(parse_task(given, Reading.DOCUMENT), shipped()).sheet.script == script


def test_a_name_gives_its_command_and_words_of_the_task_follow() -> None:
    given = {"uuid": UUID, "username": "ann", "name": "echo_hello_world", "params": ["more"]}
    made = plan(parse_task(given, Reading.DOCUMENT), shipped())

    assert made.sheet.script.endswith(f"/bin/bash -c $'echo -e {GREETING} more'\n")
    assert made.notice.methods == {Method.TEST: {}}
    assert made.sheet.options["job-name"] == "echo_hello_world"


def test_who_says_the_command_says_all_of_it() -> None:
    given = {**small(), "name": "echo_hello_world", "cmd": "sleep", "params": ["600"]}

    made = plan(parse_task(given, Reading.DOCUMENT), shipped())
    assert made.sheet.script.endswith("-c $'sleep 600'\n")


def test_ways_of_a_name_are_beside_the_tasks_own_whose_words_count() -> None:
    names = parse_names(
        """
        tasks:
          night:
            cmd: run
            environment: {A: "1"}
            notification:
              methods: [email, rabbithq]
              params:
                email: {recipient: site@example.org, subject: Night}
                rabbithq: {queue: jobs}
              events: [started, terminal]
        """
    )
    own = {"methods": ["email", "slack"], "params": {"email": {"recipient": "ann@example.org"}}}
    given = {"uuid": UUID, "username": "ann", "name": "night", "notification": own}
    made = plan(parse_task(given, Reading.DOCUMENT), names)

    assert made.notice.methods == {
        Method.EMAIL: {"recipient": "ann@example.org", "subject": "Night"},
        Method.RABBITMQ: {"queue": "jobs"},
        Method.SLACK: {},
    }
    assert made.notice.occasions == {Occasion.STARTED, Occasion.TERMINAL}
    assert made.sheet.variables == {"A": "1"}


@pytest.mark.parametrize(
    ("changed", "error", "words"),
    [
        ({"name": "nosuch"}, WrongAsk, "task.name: 'nosuch' is no name of a task here; there is"),
        ({"cmd": ""}, WrongAsk, "task.cmd: expected a command"),
        ({"script": "#!/bin/sh"}, WrongAsk, "task.script"),
        ({"args": ["a"]}, WrongAsk, "not both"),
        ({"cmd": "a\0b"}, WrongAsk, "zero byte"),
        ({"cmd": "x" * MOST_COMMAND}, TooLarge, "at most"),
        ({"cwd": "home"}, WrongAsk, "task.cwd: expected an absolute path"),
        ({"cwd": "/home\n/ann"}, WrongAsk, "task.cwd"),
        ({"dirs": {"parent": "/home/../root"}}, WrongAsk, "task.dirs.parent"),
        ({"dirs": {"output": "out"}}, WrongAsk, "task.dirs.output"),
        ({"notification": {"methods": ["pigeon"]}}, WrongAsk, "is none of email"),
    ],
)  # fmt: skip
def test_what_is_no_task_is_refused_before_anything_is_done(
    changed: dict[str, Any], error: type[GatewayError], words: str
) -> None:
    with pytest.raises(error, match=words):
        planned(**changed)


@pytest.mark.parametrize(
    ("slurm", "words"),
    [
        ({"job_name": "a\nb"}, "--job-name takes"),
        ({"partition": "--uid=0"}, "--partition takes"),
        ({"account": "physics --partition=low"}, "--account takes"),
        ({"output": "-x"}, "--output takes"),
        ({"comment": "a\nb"}, "--comment takes"),
        ({"array": "$(id)"}, "--array takes"),
        ({"export": "ALL,A=1"}, "--export takes"),
    ],
)
def test_what_the_hands_table_does_not_have_is_no_option(slurm: dict[str, Any], words: str) -> None:
    with pytest.raises(Refused, match=words) as raised:
        options(**slurm)
    assert raised.value.refusal == "invalid-option"


@pytest.mark.parametrize(
    ("slurm", "words"),
    [
        ({"time": 0}, "task.slurm.time: expected a whole number above 0, not '0'"),
        ({"time": "1.5"}, "task.slurm.time"),
        ({"time": "0x10"}, "task.slurm.time"),
        ({"time": -1}, "task.slurm.time"),
        ({"mem": "lots"}, "task.slurm.mem"),
        ({"mem": 0}, "task.slurm.mem"),
        ({"cpus_per_task": "1 --uid=0"}, "task.slurm.cpus_per_task"),
        ({"mem": 1, "mem_per_cpu": 1}, "`mem` or `mem_per_cpu`"),
        ({"time": 1, "time_limit": 1}, "`time` or `time_limit`"),
        ({"environment": "1=2"}, "is no NAME=value"),
        ({"environment": ["A=1", "A=2"]}, "A is there twice"),
        ({"environment": {"A": "\0"}}, "is no NAME=value"),
    ],
)
def test_a_wrong_value_is_said_by_its_place(slurm: dict[str, Any], words: str) -> None:
    with pytest.raises(WrongAsk, match=words):
        options(**slurm)


@pytest.mark.parametrize("nice", [10**30, -(10**30)])
def test_a_number_that_no_program_takes_is_none(nice: int) -> None:
    with pytest.raises(WrongAsk, match=r"task: .*nice"):
        options(nice=nice)


def test_a_text_without_bytes_and_a_bottomless_task_are_refused() -> None:
    deep: list[Any] = []
    for _ in range(5000):
        deep = [deep]
    for given in (hello(note="\ud800"), hello(note=deep)):
        with pytest.raises(WrongAsk, match="not every program"):
            parse_task(given, Reading.DOCUMENT, is_lenient=True)


def test_a_scripts_words_may_not_lose_its_job() -> None:
    given = {"uuid": UUID, "username": "ann", "script": "#!/bin/sh\n#SBATCH -M other\n"}

    with pytest.raises(Refused, match="--clusters"):
        plan(parse_task(given, Reading.DOCUMENT), shipped())


@pytest.mark.parametrize("uuid", ["", "a b", "../x", "a" * 129, "-a", "a\n", "é"])
def test_a_uuid_is_a_word(uuid: str) -> None:
    with pytest.raises(WrongAsk, match=r"task\.uuid"):
        task(uuid=uuid)


def test_a_task_that_is_not_understood_says_where() -> None:
    with pytest.raises(WrongAsk, match=r"unknown field `colour`.*slurm"):
        task(slurm={"colour": 1})
    with pytest.raises(WrongAsk, match=r"got `array`.*dirs"):
        task(dirs=[])


def test_what_a_seeds_client_says_beside_is_let_pass() -> None:
    given = hello(note="mine", slurm={"time": 5, "colour": 1, "mem": None})
    read = parse_task(given, Reading.DOCUMENT, is_lenient=True)

    assert read.given is given
    assert read.spec.slurm.time == 5


def test_another_task_has_another_fingerprint() -> None:
    one = task()

    assert one.fingerprint("lab") == task().fingerprint("lab")
    others = [
        one.fingerprint("other"),
        task(Reading.ORIGINAL).fingerprint("lab"),
        task(cmd="true").fingerprint("lab"),
        task(username="bob").fingerprint("lab"),
    ]
    assert len({one.fingerprint("lab"), *others}) == 5


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "expected `tasks:`"),
        ("tasks: [generic]", "expected `tasks:`"),
        ("tasks: {a: {command: x}}", "unknown field `command`"),
        ("tasks: {a: {notification: {methods: [pigeon]}}}", "tasks.a.notification: 'pigeon'"),
        ("tasks:\n  a: [", "line 2: not YAML"),
        ("tasks: !!python/object/apply:os.system [id]", "not YAML"),
    ],
)
def test_a_file_of_names_that_is_wrong_says_where(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse_names(text)


def test_a_name_without_defaults_is_one() -> None:
    assert [*parse_names("tasks:\n  plain:\n")] == ["plain"]
