"""`make demo FRONT=operator`: the tour, and with --keep a site that stays for a while."""

from contextlib import ExitStack
from datetime import timedelta
from functools import partial

from sandbox.demo.front import Front, how_to_end_it, show
from sandbox.demo.screen import Screen
from sandbox.operator_demo.site import OperatorSite, running_site
from sandbox.operator_demo.tour import guide


def main(*, keep: bool, with_node: bool) -> int:
    return show(front(with_node=with_node), keep=keep)


def front(*, with_node: bool) -> Front[OperatorSite]:
    return Front(
        "operator",
        partial(_begin, with_node=with_node),
        guide,
        _tell_what_stays,
        "`make demo` is the agent's, FRONT=gateway the gateway's.",
    )


def _begin(
    ends: ExitStack, screen: Screen, lifetime: timedelta, *, with_node: bool
) -> OperatorSite:
    with screen.working("Slurm, the gateway and a Kubernetes start, and its image is built"):
        site = ends.enter_context(running_site(lifetime, with_node=with_node))
    screen.say(
        f"Slurm {site.gateway.slurm_version} is real, and so are the gateway at {site.gateway.url}"
        f" and the API server at {site.bed.place.server}."
    )
    if site.no_pods:
        screen.say(
            f"No kubelet runs here: {site.no_pods}. So the operator and the resource daemon are"
            " processes of this machine, the node is one by name alone, and results, which a pod"
            " collects, are left out: the job's output stands in its status."
        )
    else:
        screen.say(
            "One node runs pods by a kubelet and containerd. They are in this machine's network,"
            " as what they speak to listens on loopback; all else is as deploy/ has it."
        )
    return site


def _tell_what_stays(site: OperatorSite, screen: Screen) -> None:
    ends_at = site.gateway.ends_at
    screen.chapter("The site stays for you to play with")
    screen.say(f"It ends by itself at {ends_at:%H:%M} UTC; `{how_to_end_it()}` ends it now.")
    screen.commands(
        (f"export KUBECONFIG={site.directory}/kubeconfig", "kubectl finds this Kubernetes"),
        (f". {site.directory}/told", "Slurm's commands find this cluster"),
        (f"kubectl apply -f {site.directory}/bull.yaml", "a job that sleeps; `kubectl get sj -w`"),
        ("kubectl describe sj bull", "its conditions and events, in sentences"),
        ("kubectl delete sj bull", "`squeue` shows its job going"),
    )
