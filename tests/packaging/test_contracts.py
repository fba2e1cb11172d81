"""The architecture is held by `make check`: an import that points the wrong way fails it.

That what decides asks no clock is held here, as imports cannot tell: `datetime` has one.
"""

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.places import PROJECT


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the package with the contracts that it is held to."""
    for name in ("pyproject.toml", "setup.cfg"):
        shutil.copy(PROJECT / name, tmp_path)
    left_out = shutil.ignore_patterns("__pycache__")
    shutil.copytree(PROJECT / "waldur_slurm", tmp_path / "waldur_slurm", ignore=left_out)
    return tmp_path


def verdict(tree: Path) -> subprocess.CompletedProcess[str]:
    lint = Path(sys.executable).with_name("lint-imports")
    return subprocess.run(
        [lint, "--no-cache"], cwd=tree, capture_output=True, text=True, check=False, timeout=120
    )


def test_the_tree_as_it_is_keeps_every_contract(tree: Path) -> None:
    done = verdict(tree)

    assert done.returncode == 0, done.stdout
    assert "0 broken" in done.stdout


@pytest.mark.parametrize(
    ("module", "forbidden", "contract"),
    [
        ("model/names.py", "waldur_slurm.slurm.tools", "Layers point down"),
        ("service/lock.py", "waldur_slurm.agent.main", "Layers point down"),
        ("operator/ways/gateway_jobs.py", "waldur_slurm.gateway.talk", "Layers point down"),
        (
            "agent/pull/plan/plan.py",
            "waldur_slurm.agent.push.cycle",
            "The agent's layers point down",
        ),
        ("agent/pull/world/world.py", "waldur_slurm.agent.pull.guard.brake", "Pull's layers"),
        ("agent/push/plan/plan.py", "waldur_slurm.agent.push.journal", "Push's layers"),
        ("slurm/grammar/rows.py", "waldur_slurm.slurm.tools", "Slurm's layers"),
        ("slurm/accounting/grammar/parsers.py", "time", "What decides is pure"),
        ("agent/waldur/wire/orders.py", "requests", "What decides is pure"),
        ("agent/pull/desired/desired.py", "pathlib", "What decides is pure"),
        (
            "slurm/accounting/client.py",
            "waldur_slurm.model.live",
            "The agent carries nothing of what only other fronts use",
        ),
        ("slurm/live/grammar/jobs.py", "random", "What decides is pure"),
        ("service/lock.py", "subprocess", "One module starts processes"),
        ("gateway/doors/doors.py", "sqlite3", "Only the gateway's store knows its database"),
        ("gateway/doors/claims.py", "joserfc", "One module verifies what issuers sign"),
        ("gateway/load/plan.py", "time", "What decides is pure"),
        ("gateway/post/cycle.py", "smtplib", "One module speaks to mail relays"),
        ("gateway/post/cycle.py", "pika", "One module speaks to brokers"),
        ("gateway/post/cycle.py", "apprise", "One module knows Apprise"),
        ("gateway/post/allowed.py", "time", "What decides is pure"),
        ("gateway/post/plan.py", "time", "What decides is pure"),
        (
            "gateway/records/record.py",
            "waldur_slurm.gateway.store.sqlite",
            "The gateway's layers point down",
        ),
        ("gateway/doors/doors.py", "asyncio", "Only the gateway's web is asynchronous"),
    ],
)
def test_an_import_that_points_the_wrong_way_fails_the_check(
    tree: Path, module: str, forbidden: str, contract: str
) -> None:
    with (tree / "waldur_slurm" / module).open("a", encoding="utf-8") as source:
        source.write(f"\nimport {forbidden}\n")

    done = verdict(tree)

    assert done.returncode != 0
    assert re.search(rf"{re.escape(contract)}.* BROKEN", done.stdout)


def test_what_decides_asks_no_clock() -> None:
    asking = [
        f"{source.relative_to(PROJECT)}:{node.lineno}"
        for source in pure_sources()
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in {"now", "utcnow", "today"}
        if isinstance(node.value, ast.Name) and node.value.id in {"datetime", "date"}
    ]

    assert asking == []


def pure_sources() -> Iterator[Path]:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = project["tool"]["importlinter"]["contracts"]
    (pure,) = (each for each in contracts if each["name"] == "What decides is pure")
    for module in pure["source_modules"]:
        place = PROJECT / module.replace(".", "/")
        yield from place.rglob("*.py") if place.is_dir() else [place.with_suffix(".py")]
