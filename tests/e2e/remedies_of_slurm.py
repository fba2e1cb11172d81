"""Remedies for what Slurm is or does."""

import re
from collections.abc import Callable

from tests.e2e.remedies_of_waldur import name_all_of_a_new_team
from tests.e2e.remedy_cases import Case, setting, type_it
from tests.e2e.remedy_scene import OPERATOR, TRES, Scene


def replace_tool(text: str) -> Callable[[Scene], None]:
    """Put a script in the place of sacctmgr, which may still ask the real one."""

    def breaks(scene: Scene) -> None:
        (scene.tools / "sacctmgr").rename(scene.tools / "sacctmgr.real")
        script = scene.tools / "sacctmgr"
        script.write_text(f"#!/bin/sh\n{text}\n")
        script.chmod(0o755)

    return breaks


def mend_the_tool(scene: Scene, _advice: str) -> None:
    (scene.tools / "sacctmgr.real").rename(scene.tools / "sacctmgr")


def try_by_hand_and_mend(scene: Scene, advice: str) -> None:
    assert scene.type("sacctmgr --version").returncode != 0
    mend_the_tool(scene, advice)


def stop(daemon: str) -> Callable[[Scene], None]:
    return lambda scene: scene.cluster.stop_daemon(daemon)


def start_what_is_down(question: str) -> Callable[[Scene, str], None]:
    """Ask as the advice says to, and start what does not run."""

    def is_silent(scene: Scene) -> bool:
        done = scene.type(question)
        return bool(done.returncode) or "DOWN" in done.stdout

    def follows(scene: Scene, advice: str) -> None:
        assert question in advice
        assert is_silent(scene)
        for name, state in scene.cluster.states().items():
            if state != "up":
                scene.cluster.start_daemon(name)
        assert not is_silent(scene)

    return follows


def burden(scene: Scene) -> None:
    scene.must("sacctmgr -i modify account waldur set grptresmins=cpu=5")


def take_off(scene: Scene, _advice: str) -> None:
    scene.must("sacctmgr -i modify account waldur set grptresmins=cpu=-1")


def take_the_level(scene: Scene) -> None:
    scene.put(AGENT_AUDIT_LOG="")
    scene.must(f"install -d -o {OPERATOR} {scene.place}/state")
    scene.must(f"sacctmgr -i modify user where name={OPERATOR} set adminlevel=None")
    scene.user = OPERATOR


def give_the_level(scene: Scene, advice: str) -> None:
    type_it(r"(sacctmgr modify user .*?) \(")(scene, advice.replace("USER", OPERATOR))


def push_without_a_level(scene: Scene) -> None:
    take_the_level(scene)
    scene.put(WALDUR_SYNC_DIRECTION="push")


def give_a_level(scene: Scene, advice: str) -> None:
    type_it(r"a level: (sacctmgr modify user .*)$")(scene, advice.replace("USER", OPERATOR))


def sell_what_is_not_counted(scene: Scene) -> None:
    scene.tres_file.write_text(TRES.replace("gres/gpu:", "gres/fpga:\n  component: gres/gpu"))


def count_it_and_sell_it_no_more(scene: Scene, advice: str) -> None:
    """Both ways that the advice names."""
    assert "add it to AccountingStorageTRES in slurm.conf and restart slurmctld, or" in advice
    scene.configure({"AccountingStorageTRES": "gres/gpu,gres/fpga", "GresTypes": "gpu,fpga"})
    assert "TRES in Slurm" not in {line["subject"] for line in scene.troubles()}
    scene.tres_file.write_text(TRES)


def conf(**lines: str) -> Callable[[Scene], None]:
    return lambda scene: scene.configure(lines)


def sell_by(*periods: str, **lines: str) -> Callable[[Scene], None]:
    """Let the first components have these limit periods, in the file and in Waldur alike."""

    def breaks(scene: Scene) -> None:
        text = TRES
        for label, period in zip(("CPU", "GPU"), periods, strict=False):
            text = text.replace(f"label: {label}\n", f"label: {label}\n  limit_period: {period}\n")
        scene.tres_file.write_text(text)
        scene.load()
        if lines:
            scene.configure(lines)

    return breaks


def set_in_slurm_conf(scene: Scene, advice: str) -> None:
    """What is said only once another line is right, is followed as well."""
    while advice:
        scene.configure(dict(re.findall(r"in slurm.conf: (\w+)=(\S+)", advice)))
        advice = next((line["advice"] for line in scene.troubles()), "")


def decide_for_one(scene: Scene, _advice: str) -> None:
    scene.tres_file.write_text(scene.tres_file.read_text().replace("month", "total"))
    scene.load()
    scene.configure({"PriorityUsageResetPeriod": "NONE"})


def want_unix_users(scene: Scene) -> None:
    name_all_of_a_new_team(scene)
    user = scene.waldur.offering_users()[0]["user"]
    scene.waldur.set_offering_username(user, scene.new_user)
    scene.put(SLURM_REQUIRE_UNIX_USERS="true")


def make_unix_users(scene: Scene, advice: str) -> None:
    assert "`getent passwd NAME` answers there" in advice
    question = f"getent passwd {scene.new_user}"
    assert scene.type(question).returncode != 0
    scene.must(f"useradd --no-create-home {scene.new_user}")
    scene.must(question)


def forget_the_cluster(scene: Scene) -> None:
    scene.must("sacctmgr -i delete cluster lab")


def register_it(scene: Scene, advice: str) -> None:
    """The cluster comes back without its associations, of which the next remedy speaks."""
    assert "lab" not in scene.type("sacctmgr -nP show cluster format=cluster").stdout
    type_it(r"registered by: (sacctmgr add cluster \w+), and a restart of slurmctld")(scene, advice)
    scene.cluster.restart_daemon("slurmctld")
    line = scene.line("default account", "failed", "make it (sacctmgr add account ")
    type_it(r"\((sacctmgr add account \w+)\)")(scene, line["advice"])


ENFORCE = "AccountingStorageEnforce=associations,limits,qos,safe"
FORCE = "limits in force"

SLURM = (
    Case(
        "SLURM_DEPLOYMENT_TYPE says",
        "Slurm",
        setting(SLURM_BIN_PATH="/nowhere"),
        lambda s, _: s.put(SLURM_BIN_PATH=s.right["SLURM_BIN_PATH"]),
    ),
    Case(
        "run the command by hand",
        "Slurm",
        replace_tool("echo no configuration >&2; exit 1"),
        try_by_hand_and_mend,
    ),
    Case(
        "upgrade Slurm",
        "Slurm",
        replace_tool(
            'case "$*" in *--version*) echo slurm 20.11.9;; *) exec "$0.real" "$@";; esac'
        ),
        mend_the_tool,
        "warning",
    ),
    Case(
        "slurmctld and munge run",
        "controller",
        stop("slurmctld"),
        start_what_is_down("scontrol ping"),
    ),
    Case(
        "slurmctld and munge run", "controller", stop("munged"), start_what_is_down("scontrol ping")
    ),
    Case(
        "slurmdbd, its database and munge run",
        "accounting",
        stop("slurmdbd"),
        start_what_is_down("sacctmgr show cluster"),
    ),
    Case(
        "slurmdbd, its database and munge run",
        "accounting",
        stop("mariadbd"),
        start_what_is_down("sacctmgr show cluster"),
    ),
    Case(
        "SLURM_CLUSTER_NAME, if set, is one",
        "controller",
        setting(SLURM_CLUSTER_NAME="elsewhere"),
        lambda s, _: s.put(SLURM_CLUSTER_NAME="lab"),
    ),
    Case(
        "make it (sacctmgr add account ",
        "default account",
        setting(SLURM_DEFAULT_ACCOUNT="wsat_new"),
        type_it(r"\((sacctmgr add account \w+)\)"),
    ),
    Case("take them off", "default account", burden, take_off, "warning"),
    Case("set adminlevel=Operator", "right to change accounts", take_the_level, give_the_level),
    Case(
        "give its user a level: ",
        "right to see everything",
        push_without_a_level,
        give_a_level,
        "warning",
    ),
    Case(
        "add it to AccountingStorageTRES",
        "TRES in Slurm",
        sell_what_is_not_counted,
        count_it_and_sell_it_no_more,
    ),
    Case(
        ENFORCE, FORCE, conf(AccountingStorageEnforce="associations"), set_in_slurm_conf, "warning"
    ),
    Case(
        ENFORCE,
        FORCE,
        conf(AccountingStorageEnforce="associations,limits"),
        set_in_slurm_conf,
        "warning",
    ),
    Case(
        "PriorityType=priority/multifactor",
        FORCE,
        conf(PriorityType="priority/basic", PriorityDecayHalfLife="7-0"),
        set_in_slurm_conf,
        "warning",
    ),
    Case(
        "PriorityDecayHalfLife=0",
        FORCE,
        conf(PriorityDecayHalfLife="7-0"),
        set_in_slurm_conf,
        "warning",
    ),
    Case(
        "PriorityUsageResetPeriod=MONTHLY",
        FORCE,
        sell_by("month", PriorityUsageResetPeriod="NONE"),
        set_in_slurm_conf,
        "warning",
    ),
    Case(
        "PriorityUsageResetPeriod=NONE",
        FORCE,
        sell_by("total", PriorityUsageResetPeriod="MONTHLY"),
        set_in_slurm_conf,
        "warning",
    ),
    Case("decide for one of them", FORCE, sell_by("month", "total"), decide_for_one, "warning"),
    Case("waits for access until", "Unix users", want_unix_users, make_unix_users, "warning"),
    Case("is registered by: sacctmgr add", "accounting", forget_the_cluster, register_it),
)
