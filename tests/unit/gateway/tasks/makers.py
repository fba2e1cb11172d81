"""Tasks as clients write them, and the names that there are."""

from dataclasses import replace
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

from waldur_slurm.gateway.tasks.names import Names, parse_names
from waldur_slurm.gateway.tasks.plan import Plan, plan
from waldur_slurm.gateway.tasks.task import KeptTask, Reading, Task, parse_task
from waldur_slurm.gateway.watch.monitor import Monitor
from waldur_slurm.model.names import UserName

NOW = datetime(2026, 11, 30, 9, tzinfo=UTC)
UUID = "123e4567-e89b-12d3-a456-426614174000"
GREETING = '"hello, world! (sent job $SLURM_JOB_ID to $SLURM_JOB_USER at `date`)"'


def shipped() -> Names:
    text = (files("waldur_slurm.gateway.tasks") / "names.yaml").read_text(encoding="utf-8")
    return parse_names(text)


def hello(home: str = "/home/ann", **changed: Any) -> dict[str, Any]:
    """The task of the document's `wget`, with other keys in place of some."""
    place = f"{home}/slurm-proxy-test"
    return {
        "uuid": UUID,
        "username": "ann",
        "cwd": home,
        "cmd": "echo",
        "params": ["-e", GREETING],
        "notification": {
            "methods": ["email"],
            "params": {
                "email": {
                    "sender": "username@example.com",
                    "recipient": "username@example.com",
                    "subject": "hello-world test job finished!",
                    "body": "hello!",
                }
            },
        },
        "slurm": {
            "job_name": "slurm-proxy-test.generic",
            "time": 30,
            "nodes": 1,
            "ntasks_per_node": 1,
            "cpus_per_task": 1,
            "mem": 1000,
            "partition": "hpcz-test",
            "output": "slurm-proxy-test.generic.output.txt",
            "error": "slurm-proxy-test.generic.error.txt",
        },
        "name": "generic",
        "dirs": {
            "parent": place,
            "input": f"{place}/input",
            "output": f"{place}/output",
            "error": f"{place}/error",
        },
        **changed,
    }


def task(reading: Reading = Reading.DOCUMENT, **changed: Any) -> Task:
    return parse_task(hello(**changed), reading)


def planned(reading: Reading = Reading.DOCUMENT, **changed: Any) -> Plan:
    return plan(task(reading, **changed), shipped())


def small(**slurm: Any) -> dict[str, Any]:
    """A task that says little; what is given by name is in `slurm`."""
    return {"uuid": UUID, "username": "ann", "cmd": "true", "slurm": slurm}


def kept_task(uuid: str = "u", **changes: Any) -> KeptTask:
    made = KeptTask(
        id=f"task-{uuid}",
        owner="token:portal",
        uuid=uuid,
        cluster="lab",
        user=UserName("ann"),
        name="generic",
        fingerprint="f" * 64,
        given={"uuid": uuid, "params": ["ö\n", {"b": None}]},
        made=NOW,
        monitor=f"monitor-{uuid}",
    )
    return replace(made, **changes)


def monitor_of(kept: KeptTask, **changes: Any) -> Monitor:
    made = Monitor(
        id=kept.monitor,
        owner=kept.owner,
        cluster=kept.cluster,
        user=kept.user,
        made=kept.made,
        uuid=kept.uuid,
        task=kept.given,
    )
    return replace(made, **changes)
