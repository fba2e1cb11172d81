"""A companion's pod is nobody and has nothing; what a pod says of itself is read as it is meant."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waldur_slurm.operator.jobs.companion import COMPANION_OF, Means, pod_name, pod_of, secret_of
from waldur_slurm.operator.jobs.pods import LOST, Ended, Waiting, Working, read_pod
from waldur_slurm.operator.model.collected import CollectedFile, collected, to_message
from waldur_slurm.operator.model.order import Order, read_order
from waldur_slurm.operator.model.slurm_job import Results, SlurmJob, Spec, When

UID = "6b1f3b9e-0000-4000-8000-000000000007"
MEANS = Means("slurm-operator:1", "https://gw:8443", "PEM")
NAMES = st.from_regex(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?", fullmatch=True).filter(
    lambda name: not re.search(r"\.[-.]|-\.", name)
)
RESULTS = Results("out/$(HOME)/*.csv", "data", When.ALWAYS)


def slurm_job(name: str = "cow") -> SlurmJob:
    return SlurmJob("physics", name, UID, Spec("#!/bin/sh\n", results=RESULTS))


def is_subdomain(name: str) -> bool:
    label = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
    return len(name) <= 253 and bool(re.fullmatch(rf"{label}(\.{label})*", name))


@given(NAMES)
def test_names_of_every_length_make_names_and_labels_that_kubernetes_takes(name: str) -> None:
    pod = pod_of(slurm_job(name), RESULTS, MEANS)
    labels = pod["metadata"]["labels"].values()

    assert is_subdomain(pod["metadata"]["name"])
    assert pod["metadata"]["name"] == (f"{name}-job" if len(name) < 250 else pod_name(name))
    assert all(
        re.fullmatch(r"[A-Za-z0-9][-A-Za-z0-9_.]{0,61}[A-Za-z0-9]|[A-Za-z0-9]", v) for v in labels
    )


def test_long_names_that_begin_alike_are_told_apart() -> None:
    assert pod_name("a" * 253) != pod_name("a" * 252 + "b")


def test_the_pod_is_nobody_and_has_one_claim_and_one_secret() -> None:
    spec = pod_of(slurm_job(), RESULTS, MEANS, attempt=3)["spec"]
    (container,) = spec["containers"]

    assert spec["automountServiceAccountToken"] is False
    assert (spec["hostNetwork"], spec["hostPID"], spec["hostIPC"]) == (False, False, False)
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert "env" not in container
    kinds = [sorted(volume.keys() - {"name"}) for volume in spec["volumes"]]
    assert kinds == [["secret"], ["persistentVolumeClaim"]]
    assert spec["volumes"][1]["persistentVolumeClaim"] == {"claimName": "data"}


def test_both_end_with_their_slurm_job_and_the_pod_tells_no_secret() -> None:
    job = slurm_job()
    pod = pod_of(job, RESULTS, MEANS)
    secret = secret_of(job, RESULTS, MEANS, "7", "t0ken")

    for made in (pod, secret):
        (owner,) = made["metadata"]["ownerReferences"]
        assert (owner["kind"], owner["name"], owner["uid"]) == ("SlurmJob", "cow", UID)
        assert made["metadata"]["labels"][COMPANION_OF] == UID
    assert "t0ken" not in json.dumps(pod)
    assert secret["stringData"]["token"] == "t0ken"
    order = read_order(secret["stringData"]["order"])
    assert order == Order("https://gw:8443", "7", "cow", RESULTS.source, When.ALWAYS)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"url": 1}', '{"when": "Sometimes"}'])
def test_what_is_no_order_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - any of its kind: nobody reads the words
        read_order(text)


# What a pod says


def pod(status: dict[str, Any], **meta: Any) -> dict[str, Any]:
    about = {"name": "cow-job", "uid": "p1", "labels": {COMPANION_OF: UID}, **meta}
    return {"metadata": about, "status": status}


def ended(phase: str, **terminated: Any) -> dict[str, Any]:
    return pod({"phase": phase, "containerStatuses": [{"state": {"terminated": terminated}}]})


def test_last_words_are_read_with_their_files() -> None:
    told = collected([CollectedFile("a.csv", 2, "0" * 64)])
    found = read_pod(
        ended("Succeeded", exitCode=0, message=to_message(told), finishedAt="2026-11-30T18:00:00Z")
    )

    assert isinstance(found.state, Ended)
    assert (found.of, found.state.code, found.state.told) == (UID, 0, told)
    assert found.state.at is not None


def test_one_that_died_says_what_kubernetes_knows_of_it() -> None:
    killed = read_pod(ended("Failed", exitCode=137, reason="OOMKilled", message="tail of log"))
    evicted = read_pod(pod({"phase": "Failed", "reason": "Evicted", "message": "no disk"}))

    assert killed.state == Ended(137, None, "OOMKilled: tail of log", None)
    assert evicted.state == Ended(LOST, None, "Evicted: no disk", None)


@pytest.mark.parametrize(
    ("status", "why"),
    [
        ({}, ""),
        ({"phase": "Unknown"}, "its node does not answer"),
        (
            {
                "phase": "Pending",
                "conditions": [
                    {
                        "type": "PodScheduled",
                        "status": "False",
                        "reason": "Unschedulable",
                        "message": 'persistentvolumeclaim "data" not found',
                    }
                ],
            },
            'Unschedulable: persistentvolumeclaim "data" not found',
        ),
        (
            {
                "phase": "Pending",
                "containerStatuses": [
                    {"state": {"waiting": {"reason": "ErrImagePull", "message": "no such image"}}}
                ],
            },
            "ErrImagePull: no such image",
        ),
    ],
)
def test_one_that_waits_says_for_what(status: dict[str, Any], why: str) -> None:
    assert read_pod(pod(status)).state == Waiting(why)


def test_which_one_it_is_and_whether_it_leaves_is_read() -> None:
    found = read_pod(
        pod(
            {"phase": "Running"},
            annotations={"slurm.sylabs.io/attempt": "4"},
            deletionTimestamp="2026-11-30T18:00:00Z",
        )
    )

    assert (found.state, found.attempt, found.is_leaving) == (Working(), 4, True)
