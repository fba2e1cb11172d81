"""Which arguments may reach Slurm's tools in a user's name, and which never do."""

import pytest

from waldur_slurm.hand.options import (
    SBATCH,
    SCANCEL,
    TOOLS,
    UPDATED,
    NotAllowed,
    built_argv,
    checked_argv,
)

SAMPLES = {
    "account": ("physics", "bio-2.x@site"),
    "array": ("0-15", "1,3,5-7:2%4"),
    "begin": ("now+1hour", "2026-12-24T18:00", "16:00", "midnight"),
    "chdir": ("/home/ann/a job",),
    "clusters": ("lab", "lab,other"),
    "comment": ('k8s:lab:4f2e it\'s "so" | $HOME, --uid=0', "smørrebrød"),
    "constraint": ("a100&nvlink", "[rack1*2&rack2*4]", "intel|amd"),
    "core-spec": ("0", "2"),
    "cores-per-socket": ("8",),
    "cpus-per-gpu": ("4",),
    "cpus-per-task": ("4",),
    "deadline": ("now+2days", "2026-12-24"),
    "dependency": ("afterok:12:13_4,singleton", "after:7+30?afterany:9_*"),
    "distribution": ("block:cyclic", "*:block", "plane=4"),
    "error": ("slurm-%j.err", "/home/ann/out put/%x.%A_%a"),
    "exclude": ("n[1-4],m7",),
    "exclusive": ("user",),
    "export": ("NONE", "NIL", "ALL"),
    "export-file": ("/home/ann/job/environment",),
    "gpus": ("2", "a100:4", "a100:1,v100:2"),
    "gpus-per-node": ("a100:4",),
    "gpus-per-socket": ("1",),
    "gpus-per-task": ("1",),
    "gres": ("gpu:a100:2", "gres/gpu:1,shard=3", "none"),
    "gres-flags": ("enforce-binding",),
    "hint": ("nomultithread",),
    "input": ("/dev/null",),
    "job-name": ("a name, with: everything | 'in' it", "--uid=0"),
    "kill-on-invalid-dep": ("yes", "no"),
    "licenses": ("matlab:2", "foo@db:4,bar"),
    "mail-type": ("END,FAIL", "TIME_LIMIT_80"),
    "mail-user": ("ann.o'neil@example.org".replace("'", ""), "ann"),
    "mem": ("0", "100", "4G"),
    "mem-per-cpu": ("512M",),
    "mem-per-gpu": ("8G",),
    "mincpus": ("2",),
    "nice": ("100", "-5"),
    "nodelist": ("n1", "rack[1-2]n[001-004]"),
    "nodes": ("2", "2-4"),
    "ntasks": ("16",),
    "ntasks-per-core": ("1",),
    "ntasks-per-gpu": ("1",),
    "ntasks-per-node": ("8",),
    "ntasks-per-socket": ("2",),
    "open-mode": ("append", "truncate"),
    "output": ("/dev/null", "out-%A_%a.txt"),
    "partition": ("gpu", "gpu,long"),
    "propagate": ("NONE",),
    "qos": ("normal",),
    "reservation": ("maint_1",),
    "signal": ("B:USR1@300", "TERM", "10@60", "R:KILL"),
    "sockets-per-node": ("2",),
    "switches": ("1", "1@12:00:00"),
    "threads-per-core": ("1",),
    "time": ("90", "2:00:00", "1-12", "3-00:30:00", "UNLIMITED"),
    "time-min": ("30",),
    "tmp": ("10G",),
    "wckey": ("project", "*default"),
}
FLAGS = sorted(name for name, option in SBATCH.items() if option.alone)

FOREIGN = (
    "--uid=0", "--uid", "--gid=0", "--get-user-env", "--get-user-env=L", "--wrap=id", "--wait",
    "--bbf=/etc/shadow", "--nodefile=/etc/shadow", "--container=/x", "--priority=1", "--reboot",
    "--job=x", "--acc=x", "-A", "-Aphysics", "-", "--", "--=x", "--help", "--job_name=x", "-J", ":",
)  # fmt: skip


@pytest.mark.parametrize("name", [*SAMPLES])
def test_what_a_sheet_needs_is_allowed(name: str) -> None:
    for value in SAMPLES[name]:
        asked = ("sbatch", f"--{name}={value}")

        assert checked_argv(asked) == asked == built_argv("sbatch", {name: value})


def test_every_option_of_sbatch_has_a_sample_here_or_stands_alone() -> None:
    assert {*SAMPLES, *FLAGS} == {*SBATCH}


@pytest.mark.parametrize("name", FLAGS)
def test_an_option_without_a_value_stands_alone(name: str) -> None:
    assert built_argv("sbatch", {name: None}) == ("sbatch", f"--{name}")


@pytest.mark.parametrize("argument", FOREIGN)
def test_what_is_not_in_the_table_is_refused(argument: str) -> None:
    with pytest.raises(NotAllowed):
        checked_argv(("sbatch", argument))
    with pytest.raises(NotAllowed):
        checked_argv(("scancel", argument, "12"))
    with pytest.raises(NotAllowed):
        checked_argv(("scontrol", argument, "hold", "12"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("account", "physics --partition=low"),
        ("account", ""),
        ("account", "--uid"),
        ("array", "1-"),
        ("begin", "now\n"),
        ("chdir", "relative"),
        ("comment", "two\nlines"),
        ("comment", "nul\0"),
        ("comment", "\ud800"),
        ("comment", "x" * 1025),
        ("cpus-per-task", "0"),
        ("cpus-per-task", "-1"),
        ("cpus-per-task", "\u0663"),
        ("dependency", "afterok:"),
        ("dependency", "expand:12"),
        ("error", "--uid"),
        ("export", "FOO=bar"),
        ("export", "NONE,FOO=bar"),
        ("export-file", "3"),
        ("hold", "yes"),
        ("job-name", "\x1b[31m"),
        ("mail-user", "-oQ/tmp"),
        ("mem", "4GB"),
        ("nodelist", "/etc/shadow"),
        ("exclude", "./file"),
        ("time", "abc"),
        ("time", "9" * 5000),
        ("exclusive", "everybody"),
    ],
)
def test_a_value_that_its_option_does_not_take_is_refused(name: str, value: str) -> None:
    with pytest.raises(NotAllowed, match=f"--{name} takes"):
        checked_argv(("sbatch", f"--{name}={value}"))


def test_an_option_that_takes_a_value_does_not_stand_alone() -> None:
    with pytest.raises(NotAllowed, match="--account takes a name"):
        checked_argv(("sbatch", "--account", "physics"))


def test_an_option_is_given_once() -> None:
    with pytest.raises(NotAllowed, match="twice"):
        checked_argv(("sbatch", "--time=1", "--time=2"))


def test_sbatch_reads_no_file_as_its_script() -> None:
    with pytest.raises(NotAllowed, match="stdin"):
        checked_argv(("sbatch", "--parsable", "/home/ann/batch.sh"))


@pytest.mark.parametrize("argv", [(), ("",), ("/usr/bin/sbatch",), ("srun", "id"), ("sudo",)])
def test_no_other_program_is_run(argv: tuple[str, ...]) -> None:
    with pytest.raises(NotAllowed, match="none of sbatch, scancel, scontrol"):
        checked_argv(argv)


@pytest.mark.parametrize(
    "argv",
    [
        ("scancel", "12"),
        ("scancel", "--signal=TERM", "--batch", "--state=RUNNING", "12_3", "12_[4-9]", "12_*"),
        ("scancel", "--verbose", "12+0"),
        ("scontrol", "hold", "12,13_4"),
        ("scontrol", "requeuehold", "12", "13"),
        ("scontrol", "--clusters=lab", "top", "12"),
        ("scontrol", "update", "JobId=12_3", "TimeLimit=2:00:00", "Comment=", "JobName=a b"),
        ("scontrol", "write", "batch_script", "12", "-"),
        ("scontrol", "token", "lifespan=300"),
    ],
)
def test_jobs_can_be_cancelled_and_controlled(argv: tuple[str, ...]) -> None:
    assert checked_argv(argv) == argv


@pytest.mark.parametrize(
    "argv",
    [
        ("scancel",),
        ("scancel", "--state=PENDING"),
        ("scancel", "--user=bob", "12"),
        ("scancel", "--name=x", "12"),
        ("scancel", "12", "--user=bob"),
        ("scancel", "all"),
        ("scancel", "12 13"),
        ("scontrol",),
        ("scontrol", "--quiet"),
        ("scontrol", "hold"),
        ("scontrol", "hold", "jobname=x"),
        ("scontrol", "shutdown"),
        ("scontrol", "reconfigure"),
        ("scontrol", "show", "config"),
        ("scontrol", "create", "reservation"),
        ("scontrol", "update", "JobId=12"),
        ("scontrol", "update", "NodeName=n1", "State=DOWN"),
        ("scontrol", "update", "JobId=12", "UserID=0"),
        ("scontrol", "update", "JobId=12", "TimeLimit=1", "TimeLimit=2"),
        ("scontrol", "update", "JobId=12", "Comment=x\ny"),
        ("scontrol", "update", "Comment=x", "JobId=12"),
        ("scontrol", "write", "batch_script", "12", "/home/ann/.bashrc"),
        ("scontrol", "write", "config", "/x"),
        ("scontrol", "token", "username=root"),
        ("scontrol", "token", "lifespan=300", "username=root"),
    ],
)
def test_what_is_nobodys_to_ask_is_refused(argv: tuple[str, ...]) -> None:
    with pytest.raises(NotAllowed):
        checked_argv(argv)


def test_a_request_without_end_is_refused_in_few_words() -> None:
    with pytest.raises(NotAllowed, match="more than"):
        checked_argv(("scancel", *["1"] * 2000))
    with pytest.raises(NotAllowed) as refused:
        checked_argv(("sbatch", f"--comment={'x' * 100_000}"))

    assert len(str(refused.value)) < 300


def test_nobody_says_as_whom_anywhere() -> None:
    names = {name for table in TOOLS.values() for name in table} | {*UPDATED}

    assert not names & {"uid", "gid", "get-user-env", "user", "UserID", "UserId", "username"}
    assert "signal" in SCANCEL
