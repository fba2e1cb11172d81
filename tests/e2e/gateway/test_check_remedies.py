"""Each remedy that `slurm-gateway check` gives is followed, and mends what it was given for.

Every case breaks one thing of a site in order, reads the line that speaks of it, does what the line
says, and sees all in order.
"""

from collections.abc import Iterator

import pytest

from tests.e2e.gateway.acting import ActingSite
from tests.e2e.gateway.check_cases import CASES
from tests.e2e.gateway.check_scene import CheckScene
from tests.e2e.gateway.check_steps import Case
from tests.e2e.remedy_texts import remedies_in
from tests.places import PROJECT
from waldur_slurm.gateway.check.acting import REACHED_BY
from waldur_slurm.gateway.check.sinks import ADVICE
from waldur_slurm.gateway.post.letter import Method

CHECK = PROJECT / "waldur_slurm" / "gateway" / "check"
ELSEWHERE = {
    REACHED_BY["self"],  # tests/unit/gateway/check: one user alone, who needs no site of root's
    REACHED_BY["ssh"],
    ADVICE[Method.SLACK],  # by tests/unit/gateway/post, as what is greeted is Slack's own
    ADVICE[Method.GMAIL],
    ADVICE[Method.RABBITMQ],  # by tests/contract/post, on a broker of its own
    ADVICE[None],
}


@pytest.fixture
def scene(acting_site: ActingSite) -> Iterator[CheckScene]:
    scene = CheckScene(acting_site)
    yield scene
    scene.close()


def test_a_site_in_order_is_told_so_and_nothing_of_it_is_changed(scene: CheckScene) -> None:
    before = kept(scene)

    assert scene.troubles() == []

    said = scene.program.run("check", *scene.arguments)
    assert said.stdout.splitlines()[-1] == "All is well."
    assert kept(scene) == before
    assert scene.site.acts() == []


def kept(scene: CheckScene) -> dict[str, bytes]:
    """What the gateway remembers; `-shm` is where readers note that they read."""
    files = scene.state.iterdir()
    return {file.name: file.read_bytes() for file in files if not file.name.endswith("-shm")}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.subject}: {case.remedy}")
def test_a_remedy_that_is_followed_mends_what_it_was_given_for(
    case: Case, scene: CheckScene
) -> None:
    case.breaks(scene)
    line = scene.line(case.subject, case.verdict, case.remedy)

    case.follows(scene, line["advice"])

    assert scene.troubles() == []


def test_every_remedy_has_a_case_and_every_case_a_remedy() -> None:
    told = [remedy for path in sorted(CHECK.glob("*.py")) for remedy in remedies_in(path)]
    remedies = [*told, *REACHED_BY.values(), *ADVICE.values()]
    followed = {case.remedy for case in CASES}

    assert len(told) > 20
    without = [each for each in remedies if not any(words in each for words in followed)]
    assert set(without) == ELSEWHERE
    assert {words for words in followed if not any(words in text for text in remedies)} == set()
