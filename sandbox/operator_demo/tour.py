"""The tour of the operator: what an administrator types once, and what users type ever after."""

from collections.abc import Callable
from typing import Any

from sandbox.demo.screen import Screen
from sandbox.gateway_demo.tour import typed
from sandbox.kube.people import NODE
from sandbox.operator_demo.site import OperatorSite, start_process
from sandbox.slurm.keeping import wait_until

SCOPES = "cluster:read,jobs:read,jobs:submit,jobs:cancel,jobs:control,files:read,history:read"

KINDS = "/apis/slurm.sylabs.io/v1alpha1"
JOBS = f"{KINDS}/namespaces/default/slurmjobs"
LONGEST_WAIT_S = 120.0


def guide(site: OperatorSite, screen: Screen) -> None:
    nodes(site, screen)
    operator(site, screen)
    cow(site, screen)
    bull(site, screen)


def nodes(site: OperatorSite, screen: Screen) -> None:
    screen.chapter("The resource daemon: nodes carry what the site says")
    scopes = f"--scopes {SCOPES} --run-as {site.user}"
    made = site.gateway.gateway("token", "make", "--name", "operator", *scopes.split()).out
    (site.directory / "token").write_text(made)
    _type(site, screen, "cat config.yaml clusters.yaml")
    _type(
        site,
        screen,
        "kubectl create configmap slurm-config --from-file=config=config.yaml"
        " --from-file=clusters=clusters.yaml",
    )
    if site.no_pods:
        start_process(site, "resource-daemon")
    else:
        _type(site, screen, "kubectl apply -f resource-daemon/deploy/resource-daemon.yaml")
    with screen.working("It labels the node"):
        _wait_for(lambda: "/cuda" in str(site.bed.api.find(f"/api/v1/nodes/{NODE}")), "a label")
    _type(site, screen, f"kubectl describe node {NODE} | grep slurm.sylabs.io/")


def operator(site: OperatorSite, screen: Screen) -> None:
    screen.chapter("The operator, with a token of the gateway's")
    if site.no_pods:
        _type(site, screen, "kubectl apply -f deploy/crds/slurmjobs.yaml")
        _wait_for(lambda: site.bed.api.ask("GET", f"{KINDS}/slurmjobs").status == 200, "the kind")
        start_process(site, "run")
        return
    _type(site, screen, "kubectl create secret generic slurm-gateway --from-file=token")
    _type(site, screen, "kubectl apply -k deploy")
    _type(site, screen, "kubectl apply -k deploy/overlays/results")
    _type(site, screen, "kubectl rollout status deployment/slurm-operator")


def cow(site: OperatorSite, screen: Screen) -> None:
    screen.chapter("A cow says moo")
    _type(site, screen, "cat cow.yaml")
    _type(site, screen, "kubectl apply -f cow.yaml")
    with screen.working("It is handed in, runs, and ends"):
        _wait_for(lambda: _status(site, "cow").get("phase") == "Succeeded", "the cow's end")
    _type(site, screen, "kubectl get sj")
    _type(site, screen, "kubectl get sj cow -o jsonpath={.status.output.tail}")
    _type(site, screen, "squeue --states=all --format='%A %u %j %T %k'")
    if site.no_pods:
        return
    with screen.working("Its companion shows what it wrote, and copies its file"):
        _wait_for(lambda: "'Collected'" in str(_status(site, "cow")), "the cow's file")
    _type(site, screen, "kubectl logs cow-job")
    _type(site, screen, "cat claim/cow/cow.txt")
    _type(site, screen, "kubectl get events --field-selector involvedObject.name=cow")


def bull(site: OperatorSite, screen: Screen) -> None:
    screen.chapter("Who deletes it cancels its job")
    _type(site, screen, "kubectl apply -f bull.yaml")
    with screen.working("It runs"):
        _wait_for(lambda: _status(site, "bull").get("phase") == "Running", "the bull")
    _type(site, screen, "kubectl delete sj bull")
    _type(site, screen, "squeue --states=all --format='%A %u %j %T'")


def _type(site: OperatorSite, screen: Screen, line: str) -> str:
    return typed(site.gateway, screen, line, cut=2000)


def _status(site: OperatorSite, name: str) -> dict[str, Any]:
    found: dict[str, Any] = site.bed.api.find(f"{JOBS}/{name}").get("status", {})
    return found


def _wait_for(happened: Callable[[], bool], what: str) -> None:
    wait_until(happened, LONGEST_WAIT_S, f"{what} was waited for in vain", pause_s=0.3)
