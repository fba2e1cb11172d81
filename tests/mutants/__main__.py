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
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from queue import Queue

from tests.mutants.mutator import Mutant, mutants_of
from tests.places import PROJECT

ALIKE = Path(__file__).parent / "alike.txt"
LONGEST_S = 120.0
_LEAVE_NO_TRACE = {"PYTHONDONTWRITEBYTECODE": "1"}

_PULL = (
    "tests/unit/agent/pull",
    "tests/laws/test_plan_pull_laws.py",
    "tests/laws/test_brake_laws.py",
)
_METERING = ("tests/unit/agent/metering", "tests/laws/test_usage_laws.py", "tests/unit/agent/push")
_PUSH = ("tests/unit/agent/push/plan", "tests/unit/agent/push", "tests/laws/test_usage_laws.py")
_SLURM = (
    "tests/unit/slurm/grammar",
    "tests/unit/slurm/accounting",
    "tests/laws/test_parser_laws.py",
)
_WIRE = (
    "tests/unit/agent/waldur/test_wire.py",
    "tests/unit/agent/waldur/test_wire_people.py",
    "tests/unit/agent/waldur/test_wire_amounts.py",
    "tests/unit/agent/waldur/test_recorded_answers.py",
)
_MODEL = (
    "tests/unit/model",
    "tests/unit/agent/model",
    "tests/laws/test_period_laws.py",
    *_METERING,
)
JUDGES: dict[str, tuple[str, ...]] = {
    "agent/pull/plan/defaults": _PULL,
    "agent/pull/plan/departures": _PULL,
    "agent/pull/plan/inherited": _PULL,
    "agent/pull/guard/brake": _PULL,
    "agent/pull/guard/doubtful": _PULL,
    "agent/pull/guard/removals": _PULL,
    "agent/pull/desired/desired": _PULL,
    "agent/metering/measure": _METERING,
    "agent/metering/lives": _METERING,
    "agent/metering/sums": _METERING,
    "agent/metering/past": _METERING,
    "agent/metering/witness": _METERING,
    "agent/push/plan/usage": _PUSH,
    "agent/push/plan/world": _PUSH,
    "agent/push/plan/months": _PUSH,
    "agent/push/plan/limits": _PUSH,
    "agent/push/plan/untaken": _PUSH,
    "agent/push/final": _PUSH,
    "agent/push/journal": _PUSH,
    "agent/push/statement": _PUSH,
    "slurm/grammar/values": _SLURM,
    "slurm/grammar/rows": _SLURM,
    "slurm/accounting/grammar/parsers": _SLURM,
    "slurm/accounting/records": _SLURM,
    "agent/waldur/wire/reading": _WIRE,
    "agent/waldur/wire/orders": _WIRE,
    "agent/waldur/wire/resources": _WIRE,
    "agent/waldur/wire/people": _WIRE,
    "agent/waldur/wire/offerings": _WIRE,
    "agent/waldur/wire/usages": _WIRE,
    "model/jobs": _MODEL,
    "model/period": _MODEL,
    "model/tres": _MODEL,
    "agent/model/usage": _MODEL,
    "agent/model/components": _MODEL,
    "agent/model/marketplace": (*_MODEL, *_WIRE),
}
"""What decides about access and money, each with the tests that must find its mistakes.

Those that are asked first are those that most often find one: what lives has met all of them.
"""


@dataclass(frozen=True, slots=True)
class Case:
    module: str
    mutant: Mutant

    def __str__(self) -> str:
        return f"{self.module}.py:{self.mutant.line}: {self.name}"

    @property
    def name(self) -> str:
        """Without a line, which changes with every edit above it."""
        return f"{self.module}:{self.mutant.where}: {self.mutant.change}"


def main() -> int:
    arguments = _arguments()
    cases = _chosen(arguments)
    trees: Queue[Path] = Queue()
    with tempfile.TemporaryDirectory(prefix="mutants-") as place:
        first = _copy_tree(PROJECT, Path(place) / "0", "__pycache__")
        _demand_just_judges({JUDGES[case.module] for case in cases}, first, arguments.seed)
        trees.put(first)
        for number in range(1, arguments.jobs):
            trees.put(_copy_tree(first, Path(place) / str(number)))
        lived: list[Case] = []
        with ThreadPoolExecutor(arguments.jobs) as pool:
            for module, group in groupby(cases, attrgetter("module")):
                its = list(group)
                fates = list(pool.map(lambda case: _lives(case, trees, arguments.seed), its))
                lived += [case for case, lives in zip(its, fates, strict=True) if lives]
                _say(f"{module}: {fates.count(False)} of {len(its)} found")
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
        found = list(cases_of(module))
        if arguments.most and len(found) > arguments.most:
            found = dice.sample(found, arguments.most)
        cases += found
    return cases


def cases_of(module: str) -> Iterator[Case]:
    source = (PROJECT / "waldur_slurm" / f"{module}.py").read_text(encoding="utf-8")
    return (Case(module, mutant) for mutant in mutants_of(source))


def _copy_tree(source: Path, tree: Path, *left_out: str) -> Path:
    unneeded = shutil.ignore_patterns(".*", "build", "dist", "*.egg-info", *left_out)
    shutil.copytree(source, tree, ignore=unneeded)
    return tree


def _demand_just_judges(judges: Collection[tuple[str, ...]], tree: Path, seed: int) -> None:
    """Tests that fail without any mistake would find every one; they also compile the tree."""
    for judge in sorted({each for those in judges for each in those}):
        if not _passes(tree, judge, seed, {}):
            raise SystemExit(f"without any mutant this does not pass in time: {judge}")


def _forget_compiled(module: Path) -> None:
    """A compiled copy is told from its source by a second and a size, which mutants share."""
    for compiled in (module.parent / "__pycache__").glob(f"{module.stem}.*"):
        compiled.unlink()


def _lives(case: Case, trees: "Queue[Path]", seed: int) -> bool:
    tree = trees.get()
    module = tree / "waldur_slurm" / f"{case.module}.py"
    original = module.read_text(encoding="utf-8")
    try:
        _forget_compiled(module)
        module.write_text(case.mutant.source, encoding="utf-8")
        return all(_passes(tree, each, seed, _LEAVE_NO_TRACE) for each in JUDGES[case.module])
    finally:
        module.write_text(original, encoding="utf-8")
        trees.put(tree)


def _passes(tree: Path, judge: str, seed: int, environment: Mapping[str, str]) -> bool:
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
    try:
        done = subprocess.run(
            [*command, "--no-header", f"--hypothesis-seed={seed}", judge],
            cwd=tree,
            env={"PATH": os.defpath, "PYTHONPATH": str(tree), **environment},
            capture_output=True,
            timeout=LONGEST_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def _report(cases: Sequence[Case], lived: Sequence[Case]) -> int:
    alike = known_alike()
    missed = [case for case in lived if case.name not in alike]
    found = [case for case in cases if case not in lived]
    for case in missed:
        _say(f"lives: {case}")
    unlike = [c for c in found if c.name in alike - {case.name for case in lived}]
    for case in unlike:
        _say(f"found, though alike.txt has it: {case}")
    excused = len(lived) - len(missed)
    _say(f"{len(found)} of {len(cases)} mutants found, {excused} alike, {len(missed)} missed")
    return 1 if missed or unlike else 0


def known_alike() -> frozenset[str]:
    """Names of cases, each below a comment that says why nothing can tell it."""
    lines = ALIKE.read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
