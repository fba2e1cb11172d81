"""A gateway whose certificate the site signed itself, and the Secret that says whom to trust."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from sandbox.kube.authority import Authority
from tests.e2e.gateway.acting import ActingGateway, ActingSite
from tests.e2e.operator.cow import PATIENCE_S, Companion
from tests.e2e.operator.own_authority import HOST, authority, gateway
from tests.fakes.kube_jobs import FakeKube
from tests.fakes.pods import FakePods
from tests.fixtures_hand import ANN
from tests.sandbox.processes import eventually
from waldur_slurm.operator.composition import Parts, means_of
from waldur_slurm.operator.jobs.collector import Collector
from waldur_slurm.operator.jobs.cycle import ClusterCycle
from waldur_slurm.operator.kube.client import utc_now
from waldur_slurm.operator.model.cluster import ByGateway, Cluster, RunsAs
from waldur_slurm.operator.model.collected import AGAIN
from waldur_slurm.operator.settings import Settings

__all__ = ["authority", "gateway"]

POD = "cow-job"
CLAIM = {"persistentVolumeClaim": {"claimName": "data"}}
NOT_TRUSTED = "the gateway's certificate is not trusted: "


@dataclass
class Site:
    """An operator's cycle over TLS, with a Kubernetes in memory."""

    secret: Path
    """The cluster's Secret as it is mounted."""
    kube: FakeKube
    pods: FakePods
    cycle: ClusterCycle
    later: timedelta = timedelta()

    @property
    def ca(self) -> Path:
        return self.secret / "ca.crt"

    @classmethod
    def behind(cls, url: str, token: str, place: Path) -> "Site":
        secret = place / "secrets" / "gateway-lab"
        secret.mkdir(parents=True)
        (secret / "token").write_text(token)
        kube, pods = FakeKube(), FakePods()
        told = {"KUBECONFIG": "/nowhere", "OPERATOR_SECRETS_DIR": str(secret.parent)}
        settings = Settings.from_environ(told)
        by = ByGateway(url, secret.name)
        lab = Cluster("lab", by, namespaces={"physics": RunsAs(ANN, "physics")})

        def now() -> datetime:
            return utc_now() + made.later

        cycle = ClusterCycle(
            name="lab",
            kubernetes=str(uuid4()),  # the Slurm is one for all tests
            jobs=Parts(settings, {}).way_to(lab),
            kube=kube,
            read=kube.snapshot,
            clusters=lambda: {"lab": lab},
            tell=lambda _: None,
            now=now,
            collector=Collector(pods, "lab", partial(means_of, by, settings), now),
        )
        made = cls(secret, kube, pods, cycle)
        return made

    def comes(self, uid: str, kind: str, reason: str) -> str:
        """Take turns until a condition has this reason; returns what it says."""

        def turned() -> bool:
            self.cycle.turn()
            return (self.kube.condition(uid, kind) or ("", ""))[1] == reason

        assert eventually(turned, PATIENCE_S), self.kube.status(uid)
        return self.kube.message(uid, kind)

    def has_made(self, companions: int) -> bool:
        """Take a turn; return whether there are so many of them by then."""
        self.cycle.turn()
        return self.pods.made == companions

    def companion(self, place: Path) -> Companion:
        """Return one that finds what its pod would have mounted, and a new claim."""
        for name in ("told", "claim"):
            (place / name).mkdir(parents=True)
        for name, text in self.pods.secrets["physics", POD].items():
            (place / "told" / name).write_text(text)
        return Companion(place)


@pytest.fixture
def site(gateway: ActingGateway, acting_site: ActingSite, tmp_path: Path) -> Site:
    return Site.behind(f"https://{HOST}:{gateway.port}", acting_site.token(ANN), tmp_path)


def strangers(tmp_path: Path) -> str:
    place = tmp_path / "stranger"
    place.mkdir(exist_ok=True)
    return Authority(place).certificate.read_text()


def cow(site: Site, acting_site: ActingSite) -> str:
    options: dict[str, Any] = {"mem": "10", "chdir": str(acting_site.hand.home(ANN))}
    batch = "#!/bin/sh\necho moo >grass.txt\n"
    results = {"from": "grass.txt", "mount": CLAIM}
    return site.kube.apply(batch=batch, options=options, results=results)


def test_by_its_ca_crt_alone_a_job_is_handed_in_and_its_results_are_had(
    site: Site, acting_site: ActingSite, authority: Authority, tmp_path: Path
) -> None:
    uid = cow(site, acting_site)
    for said in ("", strangers(tmp_path)):
        if said:
            site.ca.write_text(said)
        site.cycle.turn()
        site.later += timedelta(minutes=2)
        words = site.comes(uid, "ClusterReachable", "NoAnswer")
        assert NOT_TRUSTED in words
        assert "puts the signer's as ca.crt into the cluster's Secret" in words
    assert acting_site.jobs_marked(f"k8s:{site.cycle.kubernetes}") == {}

    site.ca.write_text(authority.certificate.read_text())
    assert site.comes(uid, "Submitted", "Submitted")
    assert eventually(lambda: site.has_made(1), PATIENCE_S)
    companion = site.companion(tmp_path / "one")
    assert companion.run() == 0, companion.said
    assert companion.claimed() == {"cow/grass.txt": b"moo\n"}
    site.pods.ends(POD, 0, companion.told)
    site.comes(uid, "ResultsCollected", "Collected")


def test_a_companion_that_does_not_trust_the_gateway_says_so_and_the_next_one_has_what_is_trusted(
    site: Site, acting_site: ActingSite, authority: Authority, tmp_path: Path
) -> None:
    site.ca.write_text(authority.certificate.read_text())
    uid = cow(site, acting_site)
    site.comes(uid, "Submitted", "Submitted")
    made = ("physics", POD)
    assert eventually(lambda: site.has_made(1), PATIENCE_S)
    site.pods.secrets[made] = {**site.pods.secrets[made], "ca.crt": strangers(tmp_path)}
    companion = site.companion(tmp_path / "one")
    assert companion.run() == AGAIN, companion.said
    assert companion.claimed() == {}

    site.pods.ends(POD, AGAIN, companion.told)
    words = site.comes(uid, "ResultsCollected", "MadeAgain")
    assert NOT_TRUSTED in words
    assert "puts the signer's as ca.crt into the cluster's Secret" in words
    assert eventually(lambda: site.has_made(2), PATIENCE_S)
    companion = site.companion(tmp_path / "two")
    assert companion.run() == 0, companion.said
    assert companion.claimed() == {"cow/grass.txt": b"moo\n"}
