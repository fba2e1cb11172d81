"""One remedy of `check`: how to break what it is for, and how to follow it."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from tests.e2e.remedy_scene import Scene, named_setting

PEOPLE = ("wsat-ann", "wsat-bob", "wsat-eve", "wsat-kim")


@dataclass(frozen=True, slots=True)
class Case:
    """`remedy`: words that the advice has in the code; `subject`: how the line's begins."""

    remedy: str
    subject: str
    breaks: Callable[[Scene], object]
    follows: Callable[[Scene, str], object]
    verdict: str = "failed"


def setting(**settings: str) -> Callable[[Scene], None]:
    """Break settings; `{place}` is where the scene has its files."""

    def breaks(scene: Scene) -> None:
        scene.put(**{n: text.format(place=scene.place) for n, text in settings.items()})

    return breaks


def set_right(scene: Scene, advice: str) -> None:
    """Give the variable that the advice names the value that it had."""
    name = named_setting(advice)
    scene.put(**{name: scene.right[name]})


def type_it(pattern: str) -> Callable[[Scene, str], None]:
    """Type the command that stands in the advice, and agree where it asks."""

    def follows(scene: Scene, advice: str) -> None:
        found = re.search(pattern, advice)
        assert found, advice
        scene.must(f"echo y | {found[1]}")

    return follows
