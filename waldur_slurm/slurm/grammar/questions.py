"""Questions about jobs that scontrol answers one by one, in one process. Pure.

scontrol prints what people chose (names, comments, paths) bare, so in a listing text of one job
passes for another job. Asked on stdin it answers question by question, and repeats each: a word
that was drawn at random for this call, asked after every job, ends an answer, and no text holds it.
"""

import re
from collections.abc import Iterable

from waldur_slurm.errors import UnparsableOutput
from waldur_slurm.model.counting import counted


def questions_about(jobs: Iterable[str], mark: str) -> str:
    """Ask about one job after the other, and have `mark` printed after each answer."""
    return "".join(f"show job {job}\nshow hostnames {mark}\n" for job in jobs)


def split_answers(text: str, count: int, mark: str) -> list[str]:
    """Cut what was said to `questions_about` into as many answers as there were jobs."""
    word, prompt = re.escape(mark), "(?:scontrol: )?"
    end = rf"^(?:{prompt}show hostnames {word}\n)?{prompt}{word}$"
    *answers, _ = re.split(end, text, flags=re.MULTILINE)
    if len(answers) != count:
        told = counted(len(answers), "job")
        raise UnparsableOutput(f"scontrol told of {told}, and not of {count}")
    return answers
