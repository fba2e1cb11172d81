"""Companions' pods and Secrets, in the API server's words.

Secrets are made and taken away, and never read: the operator needs no right for that.
"""

from contextlib import suppress

from waldur_slurm.operator.errors import ChangedMeanwhile, Gone
from waldur_slurm.operator.jobs.companion import COMPANION_OF, Manifest
from waldur_slurm.operator.jobs.pods import Pod, read_pod
from waldur_slurm.operator.kube import paths
from waldur_slurm.operator.kube.talk import Talk

PODS, SECRETS = "pods", "secrets"


class KubePods:
    """`jobs.pods.Pods`."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk

    def list_companions(self, namespace: str) -> tuple[Pod, ...]:
        ours = {"labelSelector": COMPANION_OF}
        found, _ = self._talk.list(paths.within(namespace, PODS), ours)
        return tuple(map(read_pod, found))

    def make_companion(self, secret: Manifest, pod: Manifest) -> None:
        """The Secret first: a pod that finds none waits for minutes until it looks again.

        One that is there already has a token of an earlier attempt.
        """
        namespace, name = secret["metadata"]["namespace"], secret["metadata"]["name"]
        there = paths.within(namespace, SECRETS)
        try:
            self._talk.post(there, secret)
        except ChangedMeanwhile:
            self.forget_token(namespace, name)
            self._talk.post(there, secret)
        self._talk.post(paths.within(namespace, PODS), pod)

    def end_companion(self, namespace: str, pod: Pod) -> None:
        """At once: nothing of it runs any more."""
        meant = {"gracePeriodSeconds": 0, "preconditions": {"uid": pod.uid}}
        with suppress(Gone):
            self._talk.delete(paths.within(namespace, PODS, pod.name), meant)

    def forget_token(self, namespace: str, name: str) -> None:
        with suppress(Gone):
            self._talk.delete(paths.within(namespace, SECRETS, name))
