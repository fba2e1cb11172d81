"""One remedy of the gateway's check: what is told wrongly, and how advice is followed."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from tests.e2e.gateway.check_scene import CheckScene


@dataclass(frozen=True, slots=True)
class Case:
    """`remedy`: words that the advice has; `subject`: how the line's begins."""

    remedy: str
    subject: str
    breaks: Callable[[CheckScene], object]
    follows: Callable[[CheckScene, str], object]
    verdict: str = "failed"


def told(**settings: str) -> Callable[[CheckScene], None]:
    """Set what is wrong; `{place}` and `{port}` are the scene's own."""

    def breaks(scene: CheckScene) -> None:
        for name, text in settings.items():
            scene.settings[name] = text.format(place=scene.site.place, port=scene.port + 1)

    return breaks


def without(*names: str) -> Callable[[CheckScene, str], None]:
    """Take back what the advice names."""

    def follows(scene: CheckScene, advice: str) -> None:
        for name in names:
            assert name in advice, advice
            del scene.settings[name]

    return follows


def by_way(way: str, **settings: str) -> Callable[[CheckScene], None]:
    def breaks(scene: CheckScene) -> None:
        scene.way = way
        told(**settings)(scene)

    return breaks


def typed(pattern: str) -> Callable[[CheckScene, str], None]:
    """Type the command that stands in the advice."""

    def follows(scene: CheckScene, advice: str) -> None:
        found = re.search(pattern, advice)
        assert found, advice
        scene.must(found[1])

    return follows
