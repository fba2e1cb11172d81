"""The pictures in docs/architecture.md are the layers that import-linter proves."""

import re
import tomllib
from typing import Any

import pytest

from tests.places import PROJECT

PACKAGE = PROJECT / "waldur_slurm"
Layers = list[set[str]]


def pictures() -> list[Layers]:
    page = (PROJECT / "docs" / "architecture.md").read_text(encoding="utf-8")
    chapter = page.partition("## Dependencies point down\n")[2].partition("\n## ")[0]
    return [layers_of(picture) for picture in chapter.split("```")[1::2]]


def layers_of(picture: str) -> Layers:
    lines = [re.split(r" {3,}", line.strip())[0] for line in picture.strip("\n").splitlines()]
    return [{name.strip() for name in line.split("|")} for line in lines]


def contracts() -> list[dict[str, Any]]:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    found: list[dict[str, Any]] = project["tool"]["importlinter"]["contracts"]
    return [contract for contract in found if contract["type"] == "layers"]


def proven(contract: dict[str, Any]) -> Layers:
    """The layers of one contract; those in brackets need not be there yet."""
    (container,) = contract.get("containers", ["waldur_slurm"])
    folder = PROJECT / container.replace(".", "/")
    named = [re.findall(r"[a-z_.]*?(\w+)(?=[) ]|$)", layer) for layer in contract["layers"]]
    there = [
        {name for name in names if (folder / name).is_dir() or (folder / f"{name}.py").is_file()}
        for names in named
    ]
    return [layer for layer in there if layer]


def test_every_picture_shows_the_layers_that_are_proven() -> None:
    assert pictures() == [proven(contract) for contract in contracts()]


@pytest.mark.parametrize("number", range(len(contracts())))
def test_every_part_of_a_folder_is_in_its_picture(number: int) -> None:
    (container,) = contracts()[number].get("containers", ["waldur_slurm"])
    folder = PROJECT / container.replace(".", "/")
    folders = {path.parent.name for path in folder.glob("*/__init__.py")}
    modules = {path.stem for path in folder.glob("*.py")} - {"__init__"}

    assert folders | modules == set().union(*pictures()[number])
