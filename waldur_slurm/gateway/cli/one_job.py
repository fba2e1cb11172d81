"""One job, or a few: shown, waited for, cancelled, held and released."""

import argparse
import time
from collections.abc import Callable
from datetime import timedelta

from waldur_slurm.gateway.cli.exits import (
    DONE,
    NOT_OVER,
    advice_of,
    code_of_error,
    code_of_job,
)
from waldur_slurm.gateway.cli.jobs import details, ended, why
from waldur_slurm.gateway.cli.terminal import Terminal
from waldur_slurm.gateway.cli.words import moment
from waldur_slurm.gateway.client import LONGEST_WAIT_S, Gateway, Guard, Until
from waldur_slurm.gateway.errors import GatewayError
from waldur_slurm.gateway.wire import JobView


def show(gateway: Gateway, terminal: Terminal, arguments: argparse.Namespace) -> int:
    if arguments.why:
        return _show_why(gateway, terminal, arguments)
    with terminal.waiting("asking the gateway"):
        job = gateway.job(arguments.job, efficiency=True)
    if arguments.json:
        terminal.json(job)
        return DONE
    pairs = [*details(job)]
    if job.phase == "pending":
        pairs += why(gateway.reason(arguments.job))
    terminal.labelled(pairs)
    return DONE


def _show_why(gateway: Gateway, terminal: Terminal, arguments: argparse.Namespace) -> int:
    answer = gateway.reason(arguments.job)
    if arguments.json:
        terminal.json(answer)
        return DONE
    pairs = [*why(answer)]
    if not pairs:
        terminal.line(f"Job {answer.job_id} does not wait: it is {answer.phase}.")
    terminal.labelled(pairs)
    return DONE


def wait(gateway: Gateway, terminal: Terminal, arguments: argparse.Namespace) -> int:
    job, is_reached = awaited(gateway, terminal, arguments.job, arguments)
    if arguments.json:
        terminal.json(job)
    else:
        terminal.line(ended(job))
    if job.terminal:
        return code_of_job(job)
    return DONE if is_reached else NOT_OVER


def awaited(
    gateway: Gateway, terminal: Terminal, job_id: str, arguments: argparse.Namespace
) -> tuple[JobView, bool]:
    """Return it as it is at last, and whether it is so far; the gateway says when it changes."""
    until = getattr(arguments, "until", "terminal")
    look: Until = "started" if until == "started" else "change"
    longest: timedelta | None = arguments.timeout
    end = None if longest is None else time.monotonic() + longest.total_seconds()
    with terminal.waiting(f"job {job_id}") as spinner:
        job = gateway.job(job_id)
        while not _is_reached(job, until):
            left = LONGEST_WAIT_S if end is None else end - time.monotonic()
            if left < 1:
                return job, False
            spinner.said = _so_far(job)
            within = timedelta(seconds=min(left, LONGEST_WAIT_S))
            job = gateway.look_again(job_id, within, until=look)
    return job, True


def cancel(gateway: Gateway, terminal: Terminal, arguments: argparse.Namespace) -> int:
    guard = _guard(arguments)

    def work(job_id: str) -> None:
        gateway.cancel(job_id, only=guard, signal=arguments.signal)

    return _each(terminal, arguments.jobs, work)


def steer(gateway: Gateway, terminal: Terminal, arguments: argparse.Namespace) -> int:
    guard, verb = _guard(arguments), arguments.command

    def work(job_id: str) -> None:
        gateway.steer(verb, job_id, only=guard)

    return _each(terminal, arguments.jobs, work)


def job_token(gateway: Gateway, terminal: Terminal, arguments: argparse.Namespace) -> int:
    """Print the token alone to standard output, once; what is said about it goes elsewhere."""
    made = gateway.token_for(arguments.job, arguments.scopes, arguments.expires)
    terminal.say(f"The token {made.id} opens {', '.join(made.scopes)} of job {made.job_id} alone,")
    terminal.say(f"until {moment(made.expires)}. It is shown this once.")
    terminal.secret(made.token)
    return DONE


def _each(terminal: Terminal, jobs: list[str], work: Callable[[str], None]) -> int:
    """Do it to all of them, whatever becomes of one; the first code that is not 0 is the exit's."""
    code = DONE
    for job_id in jobs:
        try:
            work(job_id)
        except GatewayError as error:
            advice = advice_of(error)
            said = f"{error}; {advice}" if advice else str(error)
            terminal.say(f"slurm-gateway: job {job_id}: {' '.join(said.split())}")
            code = code or code_of_error(error)
    return code


def _guard(arguments: argparse.Namespace) -> Guard:
    return Guard(arguments.submitted, arguments.mark)


def _is_reached(job: JobView, until: str) -> bool:
    return job.terminal if until == "terminal" else job.phase != "pending"


def _so_far(job: JobView) -> str:
    reason = f" ({job.state.reason})" if job.phase == "pending" and job.state.reason else ""
    return f"job {job.job_id} is {job.state.base}{reason}"
