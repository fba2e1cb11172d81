"""Companions' pods of a Kubernetes in memory: a test says what becomes of them."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from waldur_slurm.operator.errors import ChangedMeanwhile, KubeError
from waldur_slurm.operator.jobs.companion import Manifest
from waldur_slurm.operator.jobs.pods import Pod, read_pod
from waldur_slurm.operator.model.collected import Collected, to_message


@dataclass
class FakePods:
    """`jobs.pods.Pods`; `failing` raises at whatever method is named there."""

    pods: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    """By namespace and name."""
    secrets: dict[tuple[str, str], Mapping[str, str]] = field(default_factory=dict)
    failing: dict[str, KubeError] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)
    made: int = 0

    # What a kubelet does

    def runs(self, name: str, namespace: str = "physics") -> None:
        self.pods[namespace, name]["status"] = {"phase": "Running"}

    def waits(self, name: str, why: str, namespace: str = "physics") -> None:
        waiting = {"state": {"waiting": {"reason": "ErrImagePull", "message": why}}}
        self.pods[namespace, name]["status"] = {"phase": "Pending", "containerStatuses": [waiting]}

    def ends(
        self,
        name: str,
        code: int = 0,
        told: Collected | None = None,
        namespace: str = "physics",
        **more: str,
    ) -> None:
        said = {"message": to_message(told)} if told else {}
        ended = {"exitCode": code, **said, **more}
        phase = "Failed" if code else "Succeeded"
        statuses = [{"state": {"terminated": ended}}]
        self.pods[namespace, name]["status"] = {"phase": phase, "containerStatuses": statuses}

    # What tests look at

    def order(self, name: str, namespace: str = "physics") -> dict[str, str]:
        found: dict[str, str] = json.loads(self.secrets[namespace, name]["order"])
        return found

    # The port

    def list_companions(self, namespace: str) -> tuple[Pod, ...]:
        self._ask("list_companions")
        found = [read_pod(pod) for (where, _), pod in self.pods.items() if where == namespace]
        return tuple(pod for pod in found if pod.of)

    def make_companion(self, secret: Manifest, pod: Manifest) -> None:
        self._ask("make_companion")
        meta = pod["metadata"]
        key = meta["namespace"], meta["name"]
        self.secrets[key] = secret["stringData"]
        if key in self.pods:
            raise ChangedMeanwhile(f'pods "{key[1]}" already exists')
        self.made += 1
        self.pods[key] = {**pod, "metadata": {**meta, "uid": f"pod-{self.made}"}, "status": {}}

    def end_companion(self, namespace: str, pod: Pod) -> None:
        self._ask("end_companion")
        found = self.pods.get((namespace, pod.name))
        if found and found["metadata"]["uid"] == pod.uid:
            del self.pods[namespace, pod.name]

    def forget_token(self, namespace: str, name: str) -> None:
        self._ask("forget_token")
        self.secrets.pop((namespace, name), None)

    def _ask(self, what: str) -> None:
        self.calls[what] += 1
        if what in self.failing:
            raise self.failing[what]
