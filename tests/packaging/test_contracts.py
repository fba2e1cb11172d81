"""The architecture is held by `make check`: an import that points the wrong way fails it."""

import shutil
import subprocess
import sys
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
        ("model/names.py", "waldur_slurm.slurm.accounting.port", "Layers point down"),
        ("service/lock.py", "waldur_slurm.agent.main", "Layers point down"),
        ("agent/pull/plan.py", "waldur_slurm.agent.push.plan", "The agent's layers point down"),
        ("slurm/accounting/grammar/parsers.py", "time", "The core is pure"),
        ("agent/waldur/wire.py", "requests", "The core is pure"),
        ("service/lock.py", "subprocess", "One module starts processes"),
    ],
)
def test_an_import_that_points_the_wrong_way_fails_the_check(
    tree: Path, module: str, forbidden: str, contract: str
) -> None:
    with (tree / "waldur_slurm" / module).open("a", encoding="utf-8") as source:
        source.write(f"\nimport {forbidden}\n")

    done = verdict(tree)

    assert done.returncode != 0
    assert f"{contract} BROKEN" in done.stdout
