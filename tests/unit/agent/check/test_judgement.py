"""`check` says of each thing whether it is in order, and changes nothing."""

import pytest

from tests.fakes.makers import component
from tests.unit.agent.check.site import Site
from waldur_slurm.agent.model.components import AccountingType
from waldur_slurm.errors import SettingsError
from waldur_slurm.service.check.findings import Obstacle, Verdict, is_fit


def test_it_says_whom_it_asks() -> None:
    site = Site()
    site.findings()

    assert site.asked == ["Waldur", "Slurm's controller", "Slurm's accounting"]


@pytest.mark.parametrize("direction", ["pull", "push"])
def test_a_site_in_order_is_fit_and_has_no_troubles(direction: str) -> None:
    site = Site(direction=direction)

    assert site.troubles() == []
    assert is_fit(site.findings())


def test_a_warning_does_not_stop_the_agent() -> None:
    site = Site(api_url="http://waldur.example.com/api/")

    assert site.troubles() == [("settings", Verdict.WARNING)]
    assert is_fit(site.findings())


@pytest.mark.parametrize(
    "site",
    [Site(verify_ssl=False), Site(warnings=("SLURM_DEFAULT_ACOUNT has no effect",))],
    ids=["certificate", "misspelt"],
)
def test_settings_that_work_but_are_unwise_are_a_warning(site: Site) -> None:
    assert site.troubles() == [("settings", Verdict.WARNING)]


def test_a_tres_file_with_mistakes_fails_and_the_rest_is_still_asked() -> None:
    site = Site(components=SettingsError(["tres.yaml:3: unknown key 'limt'"]))

    assert site.troubles() == [
        ("TRES file", Verdict.FAILED),
        ("components", Verdict.UNKNOWN),
        ("TRES in Slurm", Verdict.UNKNOWN),
    ]
    assert not is_fit(site.findings())


def test_a_unit_of_hours_that_is_a_minute_is_a_warning() -> None:
    site = Site(components=(component("cpu", AccountingType.USAGE, factor=1),))

    assert site.troubles() == [("TRES file", Verdict.WARNING)]


@pytest.mark.parametrize(
    ("cure", "advice"),
    [
        ("make room there", "make room there, or set AGENT_AUDIT_LOG to another place"),
        ("", "set AGENT_AUDIT_LOG to another place"),
    ],
)
def test_what_cannot_be_written_fails_with_what_to_do(cure: str, advice: str) -> None:
    site = Site(storage={"audit log": Obstacle("no space left", cure)})

    assert site.troubles() == [("audit log", Verdict.FAILED)]
    (found,) = [f for f in site.findings() if f.verdict is Verdict.FAILED]
    assert found.advice == advice


def test_what_is_doubtful_in_the_settings_is_corrected_in_the_file_they_come_from() -> None:
    (found,) = [f for f in Site(warnings=("X",), env_file="/p.env").findings() if f.advice]

    assert found.advice == "correct it in /p.env"
