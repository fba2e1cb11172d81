"""`make mutants`: how many small mistakes the unit tests and laws find, and which live.

One copy of the tree a worker; each mutant is written into it and judged by the tests of its room
alone. What lives and is no mistake, as nothing can tell it from the original, is in `alike.txt`.
"""

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import Queue

from tests.mutants.mutator import Mutant, mutants_of
from tests.places import PROJECT

ALIKE = Path(__file__).parent / "alike.txt"
LONGEST_S = 120.0

_PULL_LAWS = ("tests/laws/test_plan_pull_laws.py", "tests/laws/test_brake_laws.py")
_PULL = ("tests/unit/agent/pull", *_PULL_LAWS)
_PUSH = ("tests/unit/agent/push", "tests/unit/agent/metering", "tests/laws/test_usage_laws.py")
_SLURM = ("tests/unit/slurm", "tests/laws/test_parser_laws.py")
_WIRE = ("tests/unit/agent/waldur",)
JUDGES: dict[str, Sequence[str]] = {
    "agent/pull/plan/defaults": _PULL,
    "agent/pull/plan/departures": _PULL,
    "agent/pull/plan/inherited": _PULL,
    "agent/pull/guard/brake": _PULL,
    "agent/pull/guard/doubtful": _PULL,
    "agent/pull/guard/removals": _PULL,
    "agent/pull/desired/desired": _PULL,
    "agent/metering/measure": _PUSH,
    "agent/metering/lives": _PUSH,
    "agent/push/plan/usage": _PUSH,
    "slurm/grammar/values": _SLURM,
    "slurm/accounting/grammar/parsers": _SLURM,
    "agent/waldur/wire/orders": _WIRE,
    "agent/waldur/wire/resources": _WIRE,
    "agent/waldur/wire/people": _WIRE,
    "agent/waldur/wire/offerings": _WIRE,
    "agent/waldur/wire/usages": _WIRE,
}
"""What decides about access and money, each with the tests that must find its mistakes."""


@dataclass(frozen=True, slots=True)
class Case:
    module: str
    mutant: Mutant

    def __str__(self) -> str:
        return f"{self.module}:{self.mutant.line}: {self.mutant.change}"

    @property
    def name(self) -> str:
        """The case without its line, which changes with every edit above it."""
        return f"{self.module}: {self.mutant.change}"


def main() -> int:
    arguments = _arguments()
    cases = _chosen(arguments)
    trees: Queue[Path] = Queue()
    with tempfile.TemporaryDirectory(prefix="mutants-") as place:
        for number in range(arguments.jobs):
            trees.put(_copy_tree(Path(place) / str(number)))
        with ThreadPoolExecutor(arguments.jobs) as pool:
            lived = [
                case
                for case, lives in zip(
                    cases,
                    pool.map(lambda case: _lives(case, trees, arguments.seed), cases),
                    strict=True,
                )
                if lives
            ]
    return _report(cases, lived)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("modules", nargs="*", help="parts of modules' names; none means all")
    parser.add_argument("--seed", type=int, default=1, help="of the choice, and of hypothesis")
    parser.add_argument("--most", type=int, default=0, help="so many a module; 0 means all")
    parser.add_argument("--jobs", type=int, default=2)
    return parser.parse_args()


def _chosen(arguments: argparse.Namespace) -> list[Case]:
    dice = random.Random(arguments.seed)  # noqa: S311 - a choice, no secret
    cases: list[Case] = []
    for module in JUDGES:
        if arguments.modules and not any(part in module for part in arguments.modules):
            continue
        source = (PROJECT / "waldur_slurm" / f"{module}.py").read_text(encoding="utf-8")
        found = [Case(module, mutant) for mutant in mutants_of(source)]
        if arguments.most and len(found) > arguments.most:
            found = dice.sample(found, arguments.most)
        cases += found
    return cases


def _copy_tree(tree: Path) -> Path:
    left_out = shutil.ignore_patterns(".*", "__pycache__", "build", "dist", "*.egg-info")
    shutil.copytree(PROJECT, tree, ignore=left_out)
    return tree


def _lives(case: Case, trees: "Queue[Path]", seed: int) -> bool:
    tree = trees.get()
    module = tree / "waldur_slurm" / f"{case.module}.py"
    original = module.read_text(encoding="utf-8")
    try:
        module.write_text(case.mutant.source, encoding="utf-8")
        return _passes(tree, JUDGES[case.module], seed)
    finally:
        module.write_text(original, encoding="utf-8")
        trees.put(tree)


def _passes(tree: Path, judges: Sequence[str], seed: int) -> bool:
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
    try:
        done = subprocess.run(
            [*command, "--no-header", f"--hypothesis-seed={seed}", *judges],
            cwd=tree,
            env={"PATH": os.defpath, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            timeout=LONGEST_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def _report(cases: Sequence[Case], lived: Sequence[Case]) -> int:
    alike = set(_known_alike())
    missed = [case for case in lived if case.name not in alike]
    of, alive = Counter(c.module for c in cases), Counter(c.module for c in lived)
    lines = [f"{module}: {of[module] - alive[module]} of {of[module]} found" for module in of]
    lines += [f"lives: {case}" for case in missed]
    found = len(cases) - len(lived)
    excused = len(lived) - len(missed)
    lines.append(f"{found} of {len(cases)} mutants found, {excused} alike, {len(missed)} missed")
    sys.stdout.write("\n".join(lines) + "\n")
    return 1 if missed else 0


def _known_alike() -> Iterator[str]:
    """Lines `module: change`, each below a comment that says why nothing can tell it."""
    for line in ALIKE.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            yield line


if __name__ == "__main__":
    sys.exit(main())
