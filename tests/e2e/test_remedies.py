"""Each remedy that `check` gives is followed to the letter, and mends what it was given for.

Every case breaks one thing of a site in order, reads the line that speaks of it, does what the line
says, and sees all in order. No remedy of the code is without a case.
"""

from collections.abc import Iterator

import pytest

from sandbox.docker.cluster import ContainerCluster
from sandbox.slurm import ClusterOptions
from sandbox.slurm.users import ensure_users
from sandbox.waldur import READY, Waldur
from tests.e2e.remedies_here import SETTINGS, STORAGE
from tests.e2e.remedies_of_slurm import SLURM
from tests.e2e.remedies_of_waldur import WALDUR
from tests.e2e.remedy_cases import PEOPLE, Case
from tests.e2e.remedy_scene import OPERATOR, Scene
from tests.e2e.remedy_texts import remedies_in
from tests.fixtures_slurm import NewCluster
from tests.fixtures_waldur import StartWaldur
from tests.places import PROJECT

PACKAGE = PROJECT / "waldur_slurm"
ROOMS = (PACKAGE / "agent" / "check", PACKAGE / "service" / "check")


@pytest.fixture(scope="module")
def site(
    new_slurm_cluster: NewCluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Scene]:
    """One of its own, since its daemons are stopped; the users are the host's."""
    ensure_users((*PEOPLE, OPERATOR))
    with (
        new_slurm_cluster(ClusterOptions(nodes=1)) as cluster,
        Waldur.start(tmp_path_factory.mktemp("waldur"), "today", READY) as waldur,
    ):
        cluster.must("sacctmgr", "-i", "add", "account", "waldur")
        cluster.must("sacctmgr", "-i", "add", "account", "wsat_service")
        person = ("user", OPERATOR, "account=wsat_service", "adminlevel=Operator")
        cluster.must("sacctmgr", "-i", "add", *person)
        scene = Scene(cluster, waldur)
        yield scene
        scene.close()


@pytest.fixture
def scene(site: Scene) -> Scene:
    """In order, whatever the test before has left."""
    site.restore()
    return site


CASES = (*SETTINGS, *STORAGE, *WALDUR, *SLURM)
OLDER = "keep push running over every month's end"
"""Nothing that a person does here ends it: it is how an older Waldur is."""

GOVERNED = "set SLURM_DOWNSCALED_QOS where it downscales"
"""Nor this: it is what Waldur's own policy is, which its administrators chose."""


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.subject}: {case.remedy}")
def test_a_remedy_that_is_followed_mends_what_it_was_given_for(case: Case, scene: Scene) -> None:
    case.breaks(scene)
    line = scene.line(case.subject, case.verdict, case.remedy)

    case.follows(scene, line["advice"])

    assert scene.troubles() == []


def test_what_an_older_waldur_cannot_do_stays_a_warning(
    start_waldur: StartWaldur, scene: Scene
) -> None:
    older = start_waldur("transition")
    scene.put(
        WALDUR_API_URL=older.url,
        WALDUR_API_TOKEN=older.tokens.provider,
        WALDUR_OFFERING_UUID=older.offering_uuid,
        WALDUR_SYNC_DIRECTION="push",
    )

    scene.line("closed months", "warning", OLDER)

    assert scene.type(f"waldur-slurm-agent --env-file '{scene.env_file}' check").returncode == 0


def test_a_container_that_does_not_run(
    scene: Scene, container_cluster_22_05: ContainerCluster
) -> None:
    scene.put(
        SLURM_DEPLOYMENT_TYPE="docker",
        SLURM_CONTAINER_NAME="wsat-no-such-container",
        SLURM_DEFAULT_ACCOUNT="root",
        SLURM_BIN_PATH="",
    )

    line = scene.line("Slurm", "failed", "SLURM_DEPLOYMENT_TYPE says")
    assert "the container SLURM_CONTAINER_NAME runs" in line["advice"]
    scene.put(SLURM_CONTAINER_NAME=container_cluster_22_05.container)

    assert scene.troubles() == []


# Every remedy of the code


def test_every_remedy_has_a_case_and_every_case_a_remedy() -> None:
    modules = [path for room in ROOMS for path in sorted(room.glob("*.py"))]
    remedies = [remedy for path in modules for remedy in remedies_in(path)]
    followed = {OLDER, GOVERNED, *(case.remedy for case in CASES)}

    assert len(remedies) > 40
    without = [remedy for remedy in remedies if not any(words in remedy for words in followed)]
    assert without == []
    assert {words for words in followed if not any(words in text for text in remedies)} == set()
