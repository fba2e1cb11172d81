"""What sbatch is told beside a managed job's script: where it runs and writes, and its name. Pure.

What the script itself says counts. Without its word a job runs in its directory, and its output
stays there wherever it runs: so it is found again after Slurm forgot the job.
"""

import shlex
from collections.abc import Iterator

from waldur_slurm.gateway.apps.job import SCRIPT
from waldur_slurm.model.batch import BatchSheet
from waldur_slurm.slurm.batch.grammar.directives import directive_lines

_SHORT = {"-D": "chdir", "-o": "output", "-J": "job-name"}


def sheet_of(script: str, directory: str) -> BatchSheet:
    """Return what is handed to sbatch.

    The comment is said beside the script too, as whoever submits may have to add to it.
    """
    said = dict(_options_in(script))
    usual = {
        "chdir": directory,
        "output": f"{directory.replace('%', '%%')}/slurm-%j.out",
        "job-name": SCRIPT,
    }
    options: dict[str, str | None] = {name: usual[name] for name in usual if name not in said}
    if said.get("comment"):
        options["comment"] = said["comment"]
    return BatchSheet(script, options)


def stdout_of(sheet: BatchSheet, directory: str, slurm_id: int) -> str:
    """Return where the output is, or nothing where the script chose and only Slurm knows."""
    return f"{directory}/slurm-{slurm_id}.out" if "output" in sheet.options else ""


def _options_in(script: str) -> Iterator[tuple[str, str]]:
    """Yield the options in `#SBATCH` lines by their long names."""
    for line in directive_lines(script):
        words = _words(line)
        for word, following in zip(words, [*words[1:], ""], strict=True):
            if word.startswith("--"):
                name, equals, value = word[2:].partition("=")
                yield name, value if equals else following
            elif word[:2] in _SHORT:
                yield _SHORT[word[:2]], word[2:]


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()
