"""The picture of the layers in docs/architecture.md is the contract that import-linter proves."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def drawn() -> list[set[str]]:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    picture = page.partition("## Dependencies point down\n")[2].split("```")[1]
    lines = [re.split(r" {3,}", line.strip())[0] for line in picture.strip().splitlines()]
    return [{name.strip() for name in line.split("|")} for line in lines]


def proven() -> list[set[str]]:
    """The layers of the package; those in brackets need not be there."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = project["tool"]["importlinter"]["contracts"]
    (layered,) = (each for each in contracts if each["type"] == "layers")
    return [
        {
            name
            for name in re.findall(r"waldur_slurm\.(\w+)", layer)
            if (ROOT / "waldur_slurm" / name).is_dir()
            or (ROOT / "waldur_slurm" / f"{name}.py").is_file()
        }
        for layer in layered["layers"]
    ]


def test_the_picture_shows_the_layers_that_are_proven() -> None:
    assert drawn() == proven()


def test_every_part_of_the_package_is_in_the_picture() -> None:
    package = ROOT / "waldur_slurm"
    folders = {path.parent.name for path in package.glob("*/__init__.py")}
    modules = {path.stem for path in package.glob("*.py")} - {"__init__"}

    assert folders | modules == set().union(*drawn())
