"""What the package needs is declared within bounds, and its licences are listed."""

import ast
import re
import sys
from collections.abc import Iterator
from configparser import ConfigParser
from hashlib import sha256
from importlib.metadata import distribution, packages_distributions

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.places import PROJECT

LICENCES = {
    "Apache-2.0": "Apache",
    "BSD-2-Clause": "BSD",
    "BSD-3-Clause": "BSD",
    "MIT": "MIT",
    "MIT-0": "MIT-0",
    "MPL-2.0": "MPL|Mozilla",
    "PSF-2.0": "PSF|Python Software",
}
"""How each that is listed shows in a package's own metadata."""


def declared(*extras: str) -> list[Requirement]:
    setup = ConfigParser()
    setup.read(PROJECT / "setup.cfg")
    lists = [setup["options"]["install_requires"]]
    lists += [setup["options.extras_require"][extra] for extra in extras]
    return [Requirement(line) for text in lists for line in text.split("\n") if line]


def listed() -> dict[str, str]:
    """Licences by package, as the page has them."""
    page = (PROJECT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([a-z0-9-]+)(?: \(gateway\))? \|.*?([^|]+) \|$", page, re.MULTILINE)
    return {name: licence.strip() for name, licence in rows if name != "package"}


def installed(names: set[str]) -> Iterator[str]:
    """These and all that they bring along."""
    seen: set[str] = set()
    while names - seen:
        name = min(names - seen)
        seen.add(name)
        yield name
        needed = map(Requirement, distribution(name).requires or [])
        names |= {
            canonicalize_name(each.name)
            for each in needed
            if each.marker is None or each.marker.evaluate({"extra": ""})
        }


def test_every_dependency_has_a_lower_and_an_upper_bound() -> None:
    for each in declared("gateway", "apprise", "mysql", "rabbitmq", "test", "check"):
        operators = {specifier.operator for specifier in each.specifier}
        assert operators in ({">=", "<"}, {"=="}), each


def test_what_the_package_imports_is_declared() -> None:
    """What only one front needs is that front's extra: nothing else may import it."""
    known = packages_distributions()
    for path in (PROJECT / "waldur_slurm").rglob("*.py"):
        extras = {"gateway", "apprise", "rabbitmq"} & {*path.relative_to(PROJECT).parts, path.stem}
        names = {canonicalize_name(each.name) for each in declared(*extras)}
        for module in imported(ast.parse(path.read_text(encoding="utf-8"))):
            if module not in sys.stdlib_module_names and module != "waldur_slurm":
                providers = {canonicalize_name(name) for name in known[module]}
                assert providers & names, f"{path} imports {module}"


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


def test_the_page_lists_what_is_declared_and_what_that_brings_along() -> None:
    names = {str(canonicalize_name(each.name)) for each in declared("gateway")}
    page = listed()
    assert names <= page.keys()
    assert set(installed(set(names))) <= page.keys()


def test_what_was_made_elsewhere_is_what_the_page_says_with_its_licence() -> None:
    page = (PROJECT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    place = PROJECT / "waldur_slurm" / "gateway" / "web" / "pages" / "static"
    listed = dict(re.findall(r"^([0-9a-f]{64})  (\S+)", page, re.MULTILINE))

    assert sorted(listed.values()) == ["uplot.css", "uplot.js"]
    assert {sha256((place / name).read_bytes()).hexdigest() for name in listed.values()} == {
        *listed
    }
    assert "The MIT License (MIT)" in (place / "uplot-licence.txt").read_text(encoding="utf-8")


def test_licences_are_those_of_the_packages() -> None:
    names = {str(canonicalize_name(each.name)) for each in declared("gateway")}
    for name in installed(names):
        metadata = distribution(name).metadata
        fields = ("License-Expression", "License", "Classifier")
        said = " ".join(text for field in fields for text in metadata.get_all(field) or [])
        for licence in listed()[name].split(", "):
            assert re.search(LICENCES[licence], said), f"{name}: {licence}, not {said[:200]}"
