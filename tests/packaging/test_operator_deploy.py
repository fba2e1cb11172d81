"""What is applied to run the operator: it may what its code asks and no more, and is nobody."""

import shutil
from typing import Any

import pytest

from tests.fixtures_slurm import skip_here
from tests.packaging.operator_rights import (
    CALLS,
    DAEMONS,
    JOB,
    MEANS,
    OF_PODS,
    OF_SSH,
    OWN,
    RESULTS,
    USERS,
    Right,
    built,
    granted,
    public,
    used_by_operator,
    used_for_lease,
    used_for_results,
    used_for_ssh,
)
from waldur_slurm.operator.arguments import parse
from waldur_slurm.operator.commands.check import rights
from waldur_slurm.operator.jobs.companion import pod_of
from waldur_slurm.operator.kube.client import KubeClient
from waldur_slurm.operator.kube.pods import KubePods
from waldur_slurm.operator.watch.pages import VARIABLE

FOLDERS = [".", "base", "overlays/replicas", "overlays/results", "overlays/ssh"]


@pytest.fixture(scope="module", autouse=True)
def kubectl() -> None:
    if not shutil.which("kubectl"):
        skip_here("NO KUBECTL HERE, so this promise was not tested: make setup")


def one(folder: str, kind: str) -> dict[str, Any]:
    (found,) = (each for each in built(folder) if each["kind"] == kind)
    return found


def fit(used: set[Right], allowed: set[Right]) -> None:
    """Demand that each use is allowed, and each allowance used."""
    assert {right for right in used if not any(each.covers(right) for each in allowed)} == set()
    assert {each for each in allowed if not any(each.covers(right) for right in used)} == set()


def test_the_operator_may_what_its_code_asks_and_no_more() -> None:
    assert public(KubeClient) == CALLS.keys() | OF_SSH.keys() | DAEMONS
    fit(used_by_operator(), granted(built("base")))


def test_check_asks_for_what_the_operator_needs_and_for_no_more() -> None:
    asked = {
        Right(each.verb, each.group, each.resource, each.name, each.namespace)
        for each in rights(OWN, "slurm-config")
    }

    fit(used_by_operator(), asked)


def test_two_that_take_turns_may_hold_their_lease_beside_and_no_more() -> None:
    both = built("overlays/replicas")
    (deployment,) = (each for each in both if each["kind"] == "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]

    fit(used_by_operator() | used_for_lease(), granted(both))
    assert deployment["spec"]["replicas"] == 2
    assert {"name": "OPERATOR_LEASE", "value": "slurm-operator"} in container["env"]
    assert len(container["env"]) == 1 + len(
        one("base", "Deployment")["spec"]["template"]["spec"]["containers"][0]["env"]
    )


def test_ssh_accounts_take_single_secrets_by_name_in_their_namespace_and_no_more() -> None:
    allowed = granted(built("overlays/ssh"), USERS)

    fit(used_for_ssh(), allowed)
    assert all(each.name for each in allowed)


def test_results_take_what_their_code_asks_in_their_namespace_and_no_more() -> None:
    assert public(KubePods) == OF_PODS.keys()
    fit(used_for_results(), granted(built("overlays/results"), USERS))


def test_neither_nodes_nor_secrets_nor_anything_by_a_star_is_the_operators() -> None:
    for right in granted(built(".")):
        assert "*" not in (right.verb, right.group, right.resource)
        assert right.resource.partition("/")[0] in (
            "slurmjobs",
            "events",
            "namespaces",
            "configmaps",
        )
    assert not {each.verb for each in granted(built("overlays/results"), USERS)} & {"get", "*"}


@pytest.mark.parametrize("folder", FOLDERS)
def test_all_roles_are_the_one_accounts(folder: str) -> None:
    for each in built(folder):
        if each["kind"].endswith("RoleBinding") or each["kind"] == "RoleBinding":
            (subject,) = each["subjects"]
            assert subject == {
                "kind": "ServiceAccount",
                "name": "slurm-operator",
                "namespace": OWN,
            }


def test_all_of_it_is_the_kind_and_the_base() -> None:
    kinds = [each["kind"] for each in built(".")]

    assert sorted(kinds) == sorted(
        ["CustomResourceDefinition", *(each["kind"] for each in built("base"))]
    )


def test_the_pod_is_nobody_and_writes_nothing() -> None:
    spec = one("base", "Deployment")["spec"]["template"]["spec"]
    (container,) = spec["containers"]

    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "readOnlyRootFilesystem": True,
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
    }
    assert not {"hostNetwork", "hostPID", "hostIPC"} & spec.keys()
    kinds = {kind for volume in spec["volumes"] for kind in volume.keys() - {"name"}}
    assert kinds == {"secret", "emptyDir"}
    assert parse(container["args"]).command == "run"


def test_its_health_is_asked_where_it_is_told_to_serve_it() -> None:
    (container,) = one("base", "Deployment")["spec"]["template"]["spec"]["containers"]
    told = {each["name"]: each.get("value") for each in container["env"]}
    (port,) = container["ports"]

    assert told[VARIABLE] == f"0.0.0.0:{port['containerPort']}"
    assert container["livenessProbe"]["httpGet"] == {"path": "/healthz", "port": port["name"]}
    assert container["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": port["name"]}


def test_nobody_speaks_to_a_companion_nor_to_the_operator_but_who_reads_its_pages() -> None:
    for folder in ("base", "overlays/results"):
        policy = one(folder, "NetworkPolicy")["spec"]
        assert policy["policyTypes"] == ["Ingress", "Egress"]
    (container,) = one("base", "Deployment")["spec"]["template"]["spec"]["containers"]
    ((port,),) = (each["ports"] for each in one("base", "NetworkPolicy")["spec"]["ingress"])
    assert [port["port"]] == [each["containerPort"] for each in container["ports"]]
    assert one("overlays/results", "NetworkPolicy")["spec"].get("ingress", []) == []
    labels = one("base", "Deployment")["spec"]["template"]["metadata"]["labels"]
    assert one("base", "NetworkPolicy")["spec"]["podSelector"] == {"matchLabels": labels}
    selected = one("overlays/results", "NetworkPolicy")["spec"]["podSelector"]["matchLabels"]
    assert selected.items() <= pod_of(JOB, RESULTS, MEANS)["metadata"]["labels"].items()
