"""What the operator asks of an API server, found by letting its code ask; and what roles allow."""

import re
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import yaml

from tests.places import PROJECT
from waldur_slurm.operator.errors import ChangedMeanwhile, Gone, KubeError
from waldur_slurm.operator.jobs.companion import Means, pod_of, secret_of
from waldur_slurm.operator.jobs.kube import Told
from waldur_slurm.operator.jobs.pods import Pod, Working
from waldur_slurm.operator.kube import paths
from waldur_slurm.operator.kube.client import Kept, KubeClient
from waldur_slurm.operator.kube.lease import Lease
from waldur_slurm.operator.kube.pods import KubePods
from waldur_slurm.operator.kube.store import Store
from waldur_slurm.operator.kube.talk import Patch
from waldur_slurm.operator.model.slurm_job import Results, SecretKey, SlurmJob, Spec, When

OWN, USERS = "default", "physics"
DEPLOY = PROJECT / "deploy"
RESULTS = Results("out", "data", When.ALWAYS)
JOB = SlurmJob(USERS, "cow", "u-1", Spec("#!/bin/sh\n", results=RESULTS), finalizers=("other",))
MEANS = Means("slurm-operator:1", "https://gw:8443")

_PATH = re.compile(
    r"/(?:api/v1|apis/(?P<group>[^/]+)/[^/]+)"
    r"(?:/namespaces/(?P<namespace>[^/]+)(?=/))?"
    r"/(?P<resource>[^/]+)(?:/(?P<name>[^/]+)(?:/(?P<part>[^/]+))?)?"
)


class Right(NamedTuple):
    """One verb on one kind of thing; without a namespace everywhere, without a name on any."""

    verb: str
    group: str
    resource: str
    name: str = ""
    namespace: str = ""

    def covers(self, used: "Right") -> bool:
        return (
            (self.verb, self.group, self.resource) == (used.verb, used.group, used.resource)
            and self.name in ("", used.name)
            and self.namespace in ("", used.namespace)
        )


@dataclass
class Noting:
    """A `Talk` that notes what is asked, and answers as the test says."""

    gone: bool = False
    there_already: bool = False
    used: set[Right] = field(default_factory=set)

    def get(self, path: str, _params: object = None) -> dict[str, Any]:
        self._note("get", path)
        if self.gone:
            raise Gone("not found")
        return {"metadata": {"uid": "u", "resourceVersion": "7"}, "data": {}, "count": 1}

    def list(self, path: str, _only: object = None) -> tuple[list[dict[str, Any]], str]:
        self._note("list", path)
        return [], "7"

    def post(self, path: str, _body: object) -> dict[str, Any]:
        self._note("create", path)
        if self.there_already:
            self.there_already = False
            raise ChangedMeanwhile("it is there already")
        return {}

    def patch(self, path: str, _body: object, _meant: Patch = Patch.MERGE) -> dict[str, Any]:
        self._note("patch", path)
        if self.gone:
            raise Gone("not found")
        return {}

    def delete(self, path: str, _body: object = None) -> None:
        self._note("delete", path)

    def watch(self, path: str, _version: str, _seconds: int) -> Iterator[dict[str, Any]]:
        self._note("watch", path)
        return iter(())

    def _note(self, verb: str, path: str) -> None:
        found = _PATH.fullmatch(path)
        assert found, path
        resource = "/".join(filter(None, (found["resource"], found["part"])))
        name = found["name"] or ""
        self.used.add(Right(verb, found["group"] or "", resource, name, found["namespace"] or ""))


POD = Pod("cow-job", "p-1", JOB.uid, Working())
CALLS: Mapping[str, Callable[[KubeClient], object]] = {
    "read_cluster_id": lambda kube: kube.read_cluster_id(),
    "accept": lambda kube: kube.accept(JOB, "alpha", "ann"),
    "let_go": lambda kube: kube.let_go(JOB),
    "patch_status": lambda kube: kube.patch_status(JOB, {"phase": "Running"}),
    "read_kept": lambda kube: kube.read_kept(),
    "keep": lambda kube: kube.keep(JOB.uid, "lab"),
    "forget_kept": lambda kube: kube.forget_kept([JOB.uid]),
    "tell": lambda kube: kube.tell(JOB, Told("Submitted", "it was handed in")),
    "read_config_map": lambda kube: kube.read_config_map(OWN, "slurm-config"),
}
"""Each thing that the operator asks of Kubernetes wherever it runs; two more are the daemon's."""

OF_SSH: Mapping[str, Callable[[KubeClient], object]] = {
    "read_secret": lambda kube: kube.read_secret(USERS, SecretKey("slurm", "key")),
}


def hold_lease(talk: Any) -> None:
    """Take it, where it is there and where not, and leave it."""
    lease = Lease(talk, OWN, "slurm-operator", "me", lambda _event: None, lambda: 0.0)
    lease.hold()
    lease.let_go()


DAEMONS = {"list_nodes", "change_node"}

OF_PODS: Mapping[str, Callable[[KubePods], object]] = {
    "list_companions": lambda pods: pods.list_companions(USERS),
    "make_companion": lambda pods: pods.make_companion(
        secret_of(JOB, RESULTS, MEANS, "1", "t"), pod_of(JOB, RESULTS, MEANS)
    ),
    "end_companion": lambda pods: pods.end_companion(USERS, POD),
    "forget_token": lambda pods: pods.forget_token(USERS, "cow-job"),
}


def public(of: type) -> set[str]:
    return {name for name in vars(of) if not name.startswith("_")}


def talks() -> Iterator[Noting]:
    """Let things be there, and not: each leads to other questions."""
    yield Noting()
    yield Noting(gone=True)
    yield Noting(there_already=True)


def used_by_operator() -> set[Right]:
    used: set[Right] = set()
    for talk in talks():
        asked: Any = talk
        Store(asked, paths.JOBS, lambda: None, lambda _event: None).follow()
        kube = KubeClient(asked, kept=Kept(OWN))
        for call in CALLS.values():
            with suppress(KubeError):
                call(kube)
        used |= talk.used
    return used


def used_for_lease() -> set[Right]:
    used: set[Right] = set()
    for talk in talks():
        hold_lease(talk)
        used |= talk.used
    return used


def used_for_ssh() -> set[Right]:
    talk: Any = Noting()
    for call in OF_SSH.values():
        call(KubeClient(talk))
    return set(talk.used)


def used_for_results() -> set[Right]:
    used: set[Right] = set()
    for talk in talks():
        asked: Any = talk
        for call in OF_PODS.values():
            call(KubePods(asked))
        used |= talk.used
    return used


def built(folder: str) -> list[dict[str, Any]]:
    """Return what kustomize makes of it."""
    done = subprocess.run(
        ["/usr/bin/env", "kubectl", "kustomize", str(DEPLOY / folder)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return [each for each in yaml.safe_load_all(done.stdout) if each]


def granted(manifests: Iterable[Mapping[str, Any]], namespace: str = "") -> set[Right]:
    """Return what roles allow; a Role without a namespace is applied into the one given."""
    found: set[Right] = set()
    for each in manifests:
        if each["kind"] not in ("Role", "ClusterRole"):
            continue
        within = each["metadata"].get("namespace", namespace) if each["kind"] == "Role" else ""
        for rule in each["rules"]:
            found |= {
                Right(verb, group, resource, name, within)
                for verb in rule["verbs"]
                for group in rule["apiGroups"]
                for resource in rule["resources"]
                for name in rule.get("resourceNames", [""])
            }
    return found
