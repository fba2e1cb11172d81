"""What a task's client wrote never becomes an option, a line of a script or a word of a shell."""

import copy
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.gateway.tasks.makers import hello, shipped
from waldur_slurm.gateway.errors import GatewayError
from waldur_slurm.gateway.tasks.environment import variables_of
from waldur_slurm.gateway.tasks.names import Canned, Names, parse_names
from waldur_slurm.gateway.tasks.plan import Plan, plan
from waldur_slurm.gateway.tasks.quoting import words
from waldur_slurm.gateway.tasks.task import Reading, TaskNotification, parse_task
from waldur_slurm.hand.options import SBATCH
from waldur_slurm.model.batch import BatchSheet
from waldur_slurm.slurm.batch.grammar import commands
from waldur_slurm.slurm.batch.grammar.directives import directive_lines, forbidden_in, may_wait

HOSTILE = st.sampled_from(
    [
        "'", '"', "\\", "\n", "\r", "$(id)", "`id`", "; id", "$'", "\\'", "--uid=0", "-x", " ", "",
        "\n#SBATCH --account=other\n", "\n#PBS -A other\n", "\n#BSUB -P other", "\x01", "\x7f", "é",
        "\u2028", "*", "~", "!!", "{a,b}", "\\n", "\\001", "%j", "$IFS", "\t",
    ]
)  # fmt: skip
ANYTHING = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
TEXTS = st.lists(HOSTILE | ANYTHING, max_size=6).map("".join)

SLURM_TEXTS = (
    "job_name", "partition", "account", "qos", "array", "dependency", "gres", "constraint",
    "reservation", "begin", "licenses", "comment", "output", "error", "time_limit", "gpus", "nice",
    "nodes", "mem", "exclusive", "export",
)  # fmt: skip


@pytest.fixture(scope="module")
def with_srun(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Find an srun that prints the words which it was given, a zero byte after each."""
    place = tmp_path_factory.mktemp("bin")
    tool = place / "srun"
    tool.write_text("#!/bin/bash\nprintf '%s\\0' \"$@\"\n")
    tool.chmod(0o755)
    return {"PATH": f"{place}{os.pathsep}/usr/bin:/bin"}


def told_by_bash(script: str, environ: dict[str, str], place: Path) -> list[str]:
    """Run the script as slurmd does, from a file, and return what was printed."""
    file = place / "script"
    file.write_bytes(script.encode())
    done = subprocess.run(("/bin/bash", file), env=environ, capture_output=True, check=True)
    return done.stdout.decode().split("\0")[:-1]


MANY = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@MANY
@given(texts=st.lists(TEXTS, min_size=1, max_size=20))
def test_bash_reads_a_quoted_text_as_that_text_and_nothing_else(
    texts: list[str], tmp_path: Path
) -> None:
    script = f"printf '%s\\0' {words(texts)}\n"

    assert script.count("\n") == 1
    assert told_by_bash(script, {}, tmp_path) == texts


@MANY
@given(cmd=TEXTS.filter(bool), params=st.lists(TEXTS, max_size=4))
def test_a_command_reaches_the_bash_of_the_job_as_it_was_written(
    cmd: str, params: list[str], with_srun: dict[str, str], tmp_path: Path
) -> None:
    made = plan(parse_task(hello(cmd=cmd, params=params), Reading.DOCUMENT), shipped())

    heard = told_by_bash(made.sheet.script, with_srun, tmp_path)
    assert heard == ["--cpus-per-task=1", "/bin/bash", "-c", " ".join((cmd, *params))]
    assert is_out_of_sbatchs_reach(made.sheet)


@MANY
@given(cmd=TEXTS.filter(bool), args=st.lists(TEXTS, min_size=1, max_size=4))
def test_arguments_reach_their_program_one_by_one(
    cmd: str, args: list[str], with_srun: dict[str, str], tmp_path: Path
) -> None:
    made = plan(parse_task(hello(cmd=cmd, args=args, params=[]), Reading.DOCUMENT), shipped())

    heard = told_by_bash(made.sheet.script, with_srun, tmp_path)
    assert heard == [
        "--cpus-per-task=1", "/bin/bash", "-c", 'exec -- "$@"', "bash", cmd, *args,
    ]  # fmt: skip
    assert is_out_of_sbatchs_reach(made.sheet)


def is_out_of_sbatchs_reach(sheet: BatchSheet) -> bool:
    """Whether sbatch reads nothing in the script: what batch systems take for theirs begins so."""
    return (
        [*directive_lines(sheet.script)] == []
        and forbidden_in(sheet.script) is None
        and not may_wait(sheet)
        and sheet.script.count("\n") == 2
        and sheet.script.startswith("#!/bin/bash\nexec srun")
        and "\r" not in sheet.script
    )


@settings(max_examples=400, deadline=None)
@given(
    slurm=st.dictionaries(st.sampled_from(SLURM_TEXTS), TEXTS, max_size=6),
    more=st.fixed_dictionaries(
        {},
        optional={
            "cwd": TEXTS,
            "cmd": TEXTS,
            "params": st.lists(TEXTS, max_size=3),
            "dirs": st.dictionaries(
                st.sampled_from(["parent", "input", "output", "error"]), TEXTS.map("/".__add__)
            ),
        },
    ),
    environment=st.dictionaries(st.sampled_from(["A", "LD_PRELOAD", "PATH"]), TEXTS, max_size=3),
)
def test_what_is_not_refused_is_one_argument_of_one_option_that_was_asked_for(
    slurm: dict[str, str], more: dict[str, Any], environment: dict[str, str]
) -> None:
    given_slurm = {**slurm, "environment": environment}
    try:
        made = plan(parse_task(hello(slurm=given_slurm, **more), Reading.DOCUMENT), shipped())
    except GatewayError:
        return
    argv = commands.submit(made.sheet)
    allowed = {name.replace("_", "-") for name in slurm} | {"chdir", "comment", "job-name", "time"}
    allowed |= {"output", "error"}  # of the directories

    names = [argument.removeprefix("--").partition("=")[0] for argument in argv[1:]]
    assert names[0] == "parsable"
    assert set(names[1:]) <= allowed & SBATCH.keys()
    assert len(names) == len(set(names))
    assert all("\n" not in argument and "\0" not in argument for argument in argv)
    assert made.sheet.variables == environment
    for path in made.directories:
        assert path.startswith("/")
        assert not {"..", ".", ""} & {*path.split("/")[1:]} or path == "/"


NAMES = {
    "generic": Canned(),
    "canned": Canned(
        cmd="echo",
        params=("a",),
        environment="A=1",
        notification=TaskNotification(
            ("email", "test"), {"email": {"recipient": "site@example.org", "subject": "s"}}
        ),
    ),
}

notifications = st.builds(
    lambda methods, params: {"methods": methods, "params": params},
    st.lists(st.sampled_from(["email", "slack", "test", "rabbithq"]), max_size=3),
    st.dictionaries(
        st.sampled_from(["email", "slack", "rabbithq"]),
        st.dictionaries(st.sampled_from(["recipient", "msg", "queue", "body"]), ANYTHING),
    ),
)
tasks = st.builds(
    lambda name, notification, params, uuid: {
        "uuid": uuid, "username": "ann", "name": name, "cmd": "run" if name == "generic" else "",
        "params": params, "notification": notification,
    },
    st.sampled_from(["generic", "canned"]),
    notifications,
    st.lists(ANYTHING, max_size=2),
    st.sampled_from("abc"),
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.lists(tasks, min_size=1, max_size=5))
def test_a_task_is_planned_as_if_no_other_had_ever_been(each: list[dict[str, Any]]) -> None:
    names = copy.deepcopy(NAMES)
    together = [*planned_all(each, names)]
    alone = [next(planned_all([one], copy.deepcopy(NAMES))) for one in each]

    assert together == alone
    assert names == NAMES


def planned_all(each: list[dict[str, Any]], names: Names) -> Iterator[Plan]:
    return (plan(parse_task(one, Reading.DOCUMENT), names) for one in each)


VARIABLES = st.from_regex(r"[A-Z_][A-Z0-9_]{0,5}", fullmatch=True)


@given(st.dictionaries(VARIABLES, TEXTS, max_size=4))
def test_an_environment_is_the_same_as_a_list_and_as_a_map(wanted: dict[str, str]) -> None:
    pairs = [f"{name}={value}" for name, value in wanted.items()]

    assert variables_of(wanted) == variables_of(pairs) == wanted


@given(st.dictionaries(VARIABLES, TEXTS.filter(lambda text: "," not in text), max_size=4))
def test_an_environment_is_the_same_as_one_text(wanted: dict[str, str]) -> None:
    assert variables_of(",".join(f"{name}={value}" for name, value in wanted.items())) == wanted


@given(st.text())
def test_any_text_is_a_file_of_names_or_is_refused_in_a_sentence(text: str) -> None:
    try:
        names = parse_names(text)
    except ValueError as error:
        assert str(error)  # noqa: PT017 - either is well
    else:
        assert all(isinstance(each, Canned) for each in names.values())
