"""The page of settings is what the code declares, and a name that it lacks is a warning."""

from tests.places import PROJECT
from tests.unit.agent.settings.environs import COMPLETE
from waldur_slurm.agent.settings import (
    Settings,
)
from waldur_slurm.agent.settings.reference import page, unknown_variables


def test_a_misspelt_variable_is_a_warning() -> None:
    warnings = list(unknown_variables(COMPLETE | {"SLURM_DEFAULT_ACOUNT": "x"}))

    assert warnings == ["SLURM_DEFAULT_ACOUNT has no effect; is SLURM_DEFAULT_ACCOUNT meant?"]


def test_a_variable_that_only_an_older_agent_knew_is_a_warning() -> None:
    warnings = list(unknown_variables({"WALDUR_SLURM_USERNAME_SOURCE": "local"}))

    assert warnings == ["WALDUR_SLURM_USERNAME_SOURCE has no effect: there is no such variable"]


def test_variables_of_slurm_and_of_libraries_are_none_of_our_business() -> None:
    theirs = (
        "SLURM_CONF SLURM_JOB_ID SLURM_JOB_ACCOUNT SLURM_TIME_FORMAT REQUESTS_CA_BUNDLE"
        " SENTRY_RELEASE PATH TZ AGENT_NAME SLURMD_NODENAME SLURM_NTASKS"
    )

    assert list(unknown_variables(dict.fromkeys(theirs.split(), "1"))) == []


def test_the_reference_page_is_in_step_with_the_code() -> None:
    shipped = PROJECT / "docs" / "settings.md"

    assert shipped.read_text(encoding="utf-8") == page()


def test_the_reference_names_every_variable_once() -> None:
    lines = page().splitlines()

    for declared in Settings.variables():
        assert sum(f"`{declared.name}`" in line.split("|")[1] for line in lines if "|" in line) == 1
