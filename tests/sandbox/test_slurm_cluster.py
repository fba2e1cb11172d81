"""What a running cluster promises to those who test against it."""

import time
from pathlib import Path

import pytest

from sandbox.slurm import Cluster, ClusterOptions, DeadlinePassed, SandboxError
from tests.fixtures_slurm import NewCluster
from tests.patience import AT_ONCE_S
from tests.sandbox.processes import processes_of

Users = tuple[str, ...]


def test_accounting_answers_through_the_cluster_s_own_configuration(slurm_cluster: Cluster) -> None:
    done = slurm_cluster.run("sacctmgr", "-nP", "list", "cluster", "format=cluster")
    assert (done.code, done.out, done.err) == (0, "lab\n", "")


def test_jobs_of_root_and_of_several_users_are_accounted_with_what_they_held(
    slurm_cluster: Cluster, slurm_users: Users
) -> None:
    ann, bob, _ = slurm_users
    slurm_cluster.must("sacctmgr", "-i", "add", "account", "several")
    slurm_cluster.must("sacctmgr", "-i", "add", "user", f"{ann},{bob}", "account=several")
    held = ("--gres=gpu:2", "--ntasks=3", "--mem=2048")
    submitted = [
        (slurm_cluster.submit(ann, "several", "id -un", *held), ann),
        (slurm_cluster.submit(bob, "several", "id -un", *held), bob),
        (slurm_cluster.submit(None, "root", "id -un", *held), "root"),
    ]
    slurm_cluster.wait_for_jobs()

    for job, user in submitted:
        assert (slurm_cluster.directory / "jobs" / f"slurm-{job}.out").read_text() == f"{user}\n"
        row = slurm_cluster.must("sacct", "-XPn", f"-j{job}", "--format=user,state,alloctres")
        # 3 cpu, 0.25 for each of 2 GiB, 2 for each of 2 GPUs
        assert row == f"{user}|COMPLETED|billing=7,cpu=3,gres/gpu=2,mem=2G,node=1\n"


def test_a_user_without_an_association_may_not_submit(
    slurm_cluster: Cluster, slurm_users: Users
) -> None:
    with pytest.raises(SandboxError, match="Invalid account"):
        slurm_cluster.submit(slurm_users[2], "several", "true")


def test_a_job_that_was_cancelled_before_it_ran_keeps_nobody_waiting(
    slurm_cluster: Cluster,
) -> None:
    job = slurm_cluster.submit(None, "root", "true", "--hold")
    with pytest.raises(DeadlinePassed, match="jobs not over within 1 s"):
        slurm_cluster.wait_for_jobs(timeout=1)
    slurm_cluster.must("scancel", str(job))
    slurm_cluster.wait_for_jobs(timeout=10)


def test_limits_are_for_a_month_and_do_not_decay(slurm_cluster: Cluster) -> None:
    shown = slurm_cluster.must("scontrol", "show", "config").splitlines()
    settings = dict(line.replace(" ", "").split("=", 1) for line in shown if "=" in line)
    assert settings["AccountingStorageEnforce"] == "associations,limits,qos,safe"
    assert settings["PriorityType"] == "priority/multifactor"
    assert settings["PriorityDecayHalfLife"] == "00:00:00"
    assert settings["PriorityUsageResetPeriod"] == "MONTHLY"


def test_a_command_that_does_not_end_in_time_is_ended(slurm_cluster: Cluster) -> None:
    began = time.monotonic()
    with pytest.raises(DeadlinePassed, match=r"sleep(?s:.*)slurmdbd\.out"):
        slurm_cluster.run("sleep", "60", timeout=0.2)
    assert time.monotonic() - began < AT_ONCE_S
    assert "sleep" not in processes_of(slurm_cluster.directory)


def test_a_user_who_does_not_exist_is_named(slurm_cluster: Cluster) -> None:
    with pytest.raises(SandboxError, match="no unix user 'wsat-nobody'"):
        slurm_cluster.run("id", user="wsat-nobody")


def test_rows_are_loaded_in_bulk(slurm_cluster: Cluster, tmp_path: Path) -> None:
    slurm_cluster.sql("create table loaded (number int, word text)")
    file = tmp_path / "rows.tsv"
    file.write_text("one\t1\ntwo\t2\n")
    slurm_cluster.sql_load("loaded", file, ("word", "number"))
    assert slurm_cluster.sql("select number, word from loaded") == "number\tword\n1\tone\n2\ttwo\n"
    slurm_cluster.sql("drop table loaded")


def test_without_a_controller_there_is_accounting_for_several_clusters_and_any_tres(
    new_slurm_cluster: NewCluster,
) -> None:
    options = ClusterOptions(
        with_controller=False,
        tcp="stock",
        other_clusters=("north", "south"),
        tres=("gres/gpu", "gres/gpu:a100", "license/matlab"),
    )
    cluster = new_slurm_cluster(options)
    assert dict(cluster.environ) == {"SLURM_CONF": f"{cluster.directory}/etc/slurm.conf"}
    assert set(cluster.states()) == {"mariadbd", "munged", "slurmdbd"}
    clusters = cluster.must("sacctmgr", "-nP", "list", "cluster", "format=cluster")
    assert set(clusters.split()) == {"lab", "north", "south"}
    tres = cluster.must("sacctmgr", "-nP", "list", "tres", "format=type,name,id").split()
    assert tres[-3:] == ["gres|gpu|1001", "gres|gpu:a100|1002", "license|matlab|1003"]
    cluster.wipe()


def test_settings_tres_and_nodes_are_chosen_by_the_caller(new_slurm_cluster: NewCluster) -> None:
    options = ClusterOptions(
        nodes=3,
        cpus=4,
        gpus=2,
        name="other",
        tres=("gres/gpu", "gres/gpu:a100", "license/matlab"),
        slurm_conf={"PriorityUsageResetPeriod": "NONE"},
    )
    cluster = new_slurm_cluster(options)
    nodes = cluster.must("sinfo", "-hN", "-o", "%N %c %G").splitlines()
    assert nodes == [f"n{number} 4 gpu:a100:2" for number in (1, 2, 3)]
    assert "matlab" in cluster.must("scontrol", "show", "licenses")
    shown = cluster.must("scontrol", "show", "config")
    assert "PriorityUsageResetPeriod = NONE" in shown
    assert "ClusterName             = other" in shown
    cluster.wipe()
