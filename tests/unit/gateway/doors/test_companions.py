"""Over loopback whoever asks is the account; from elsewhere, or handed on, nobody is."""

from dataclasses import dataclass
from typing import Any

import pytest

from tests.unit.gateway.doors.test_strangers import here, shown
from waldur_slurm.gateway.doors.companions import ALLOWED, Companions
from waldur_slurm.gateway.doors.errands import Errand
from waldur_slurm.gateway.doors.principals import NOBODY, Kind, Principal
from waldur_slurm.gateway.doors.scopes import Scope
from waldur_slurm.gateway.doors.shown import Shown
from waldur_slurm.gateway.doors.strangers import Allowed, Strangers
from waldur_slurm.gateway.errors import Denied
from waldur_slurm.model.names import UserName

ACCOUNT = UserName("slurm-jobs")


@dataclass
class Knows:
    """The doors behind, which know this principal."""

    found: Principal | Errand = NOBODY

    def admit(self, _shown: Shown) -> Principal | Errand:
        return self.found


@dataclass
class Careful:
    """The doors behind as they refuse what a page asks."""

    def admit(self, asked: Shown) -> Principal | Errand:
        Strangers(Allowed(), find_owner=_nobody_looks).refuse_deputies(asked)
        return NOBODY


def _nobody_looks(_connection: Any) -> Any:
    raise AssertionError("whose a connection is makes no difference here")


@pytest.mark.parametrize("at", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
def test_who_asks_over_loopback_is_the_account_and_may_what_companions_do(at: str) -> None:
    found = Companions(Knows(), ACCOUNT).admit(shown(at, "127.0.0.1"))

    assert isinstance(found, Principal)
    assert (found.himself, found.scopes) == (ACCOUNT, ALLOWED)
    assert found.own_users == {ACCOUNT}
    assert Scope.JOBS_READ_ALL not in found.scopes


@pytest.mark.parametrize("at", ["10.1.2.4", "192.168.0.1", "2001:db8::1", "testclient"])
def test_who_asks_from_elsewhere_is_nobody(at: str) -> None:
    assert Companions(Knows(), ACCOUNT).admit(shown(at)) is NOBODY


def test_what_somebody_hands_on_is_from_elsewhere() -> None:
    assert Companions(Knows(), ACCOUNT).admit(here(is_forwarded=True)) is NOBODY


def test_who_is_known_by_a_token_is_who_he_is_wherever_he_asks_from() -> None:
    token = Principal(Kind.TOKEN, "pods", frozenset({Scope.JOBS_READ}))

    for asked in (here(), shown("10.1.2.4")):
        assert Companions(Knows(token), ACCOUNT).admit(asked) is token


@pytest.mark.parametrize(
    "asked", [{"host": "evil.example:8080"}, {"origin": ["https://evil.example"]}]
)
def test_a_page_that_a_browser_was_led_to_is_refused(asked: dict[str, Any]) -> None:
    with pytest.raises(Denied):
        Companions(Careful(), ACCOUNT).admit(here(**asked))
