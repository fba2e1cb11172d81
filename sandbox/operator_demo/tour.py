"""The tour of the operator: what an administrator types once, and what users type ever after."""

from sandbox.demo.screen import Screen
from sandbox.gateway_demo.tour import typed
from sandbox.kube.people import NODE
from sandbox.operator_demo.site import OperatorSite, start_process

SCOPES = "cluster:read,jobs:read,jobs:submit,jobs:cancel,jobs:control,files:read,history:read"
UNTIL = (
    'until [ "$(kubectl get sj {name} -o jsonpath={{.status.phase}})" = {phase} ]; do'
    " sleep 0.3; done"
)
COLLECTED = (
    "until kubectl get sj cow -o jsonpath={.status.conditions} | grep -q '\"Collected\"'; do"
    " sleep 0.3; done"
)


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
        _wait(site, f"until kubectl get node {NODE} -o json | grep -q cuda; do sleep 0.3; done")
    _type(site, screen, f"kubectl describe node {NODE} | grep slurm.sylabs.io/")


def operator(site: OperatorSite, screen: Screen) -> None:
    screen.chapter("The operator, with a token of the gateway's")
    if site.no_pods:
        _type(site, screen, "kubectl apply -f deploy/crds/slurmjobs.yaml")
        _wait(site, "kubectl wait --for=condition=Established crd/slurmjobs.slurm.sylabs.io")
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
        _wait(site, UNTIL.format(name="cow", phase="Succeeded"))
    _type(site, screen, "kubectl get sj")
    _type(site, screen, "kubectl get sj cow -o jsonpath={.status.output.tail}")
    _type(site, screen, "squeue --states=all --format='%A %u %j %T %k'")
    if site.no_pods:
        return
    with screen.working("Its companion shows what it wrote, and copies its file"):
        _wait(site, COLLECTED)
    _type(site, screen, "kubectl logs cow-job")
    _type(site, screen, "cat claim/cow/cow.txt")
    _type(site, screen, "kubectl get events --field-selector involvedObject.name=cow")


def bull(site: OperatorSite, screen: Screen) -> None:
    screen.chapter("Who deletes it cancels its job")
    _type(site, screen, "kubectl apply -f bull.yaml")
    with screen.working("It runs"):
        _wait(site, UNTIL.format(name="bull", phase="Running"))
    _type(site, screen, "kubectl delete sj bull")
    _type(site, screen, "squeue --states=all --format='%A %u %j %T'")


def _type(site: OperatorSite, screen: Screen, line: str) -> str:
    return typed(site.gateway, screen, line, cut=2000)


def _wait(site: OperatorSite, line: str) -> None:
    site.gateway.shell(line)
