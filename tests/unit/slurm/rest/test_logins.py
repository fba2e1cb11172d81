"""A token is asked for as the user, kept for a while, and dropped when slurmrestd drops it."""

import pytest

from waldur_slurm.errors import SlurmError
from waldur_slurm.processes.port import Argv, Completed
from waldur_slurm.slurm.rest.logins import USED_S, Logins

TOKEN = "SLURM_JWT=eyJhbGciOiJIUzI1NiJ9.e30.abcdef\n"


class Scontrol:
    def __init__(self, completed: Completed) -> None:
        self.completed = completed
        self.asked: list[Argv] = []
        self.now = 0.0

    def run(self, argv: Argv) -> Completed:
        self.asked.append(argv)
        return self.completed

    def logins(self) -> Logins:
        return Logins("ann", self.run, lambda: self.now)


def test_a_token_is_asked_for_once_until_it_is_old() -> None:
    scontrol = Scontrol(Completed(0, TOKEN, ""))
    logins = scontrol.logins()
    assert logins.login() == logins.login() == ("ann", "eyJhbGciOiJIUzI1NiJ9.e30.abcdef")
    assert scontrol.asked == [("scontrol", "token", "lifespan=900")]
    scontrol.now = USED_S + 1
    logins.login()
    assert len(scontrol.asked) == 2


def test_a_token_that_was_dropped_is_asked_for_again() -> None:
    scontrol = Scontrol(Completed(0, TOKEN, ""))
    logins = scontrol.logins()
    logins.login()
    logins.forget()
    logins.login()
    assert len(scontrol.asked) == 2


@pytest.mark.parametrize(
    "completed",
    [
        Completed(0, "", ""),
        Completed(0, "SLURM_JWT=short", ""),
        Completed(1, "", "scontrol: error: Error: access denied"),
        Completed(1, "", "Unable to contact slurm controller (connect failure)"),
    ],
)
def test_what_is_no_token_is_never_used_as_one(completed: Completed) -> None:
    with pytest.raises(SlurmError):
        Scontrol(completed).logins().login()
