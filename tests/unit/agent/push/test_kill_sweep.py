"""Killed before or after any request or any note: the next cycle mends it all, and then is idle."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.unit.agent.push.site import EDGE, HOUR, Site, make_site
from waldur_slurm.agent.model.marketplace import Dialect, ResourceState
from waldur_slurm.agent.push.journal import Journal
from waldur_slurm.state import Document


class Killed(BaseException):
    """The program is gone."""


class Fuse:
    """Burns down by one before and by one after each effect; at nothing, the program is killed."""

    def __init__(self, length: int) -> None:
        self.left = length

    def burn(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise Killed

    def around(self, effect: Callable[..., Any]) -> Callable[..., Any]:
        def killed_around(*args: Any, **kwargs: Any) -> Any:
            self.burn()
            answer = effect(*args, **kwargs)
            self.burn()
            return answer

        return killed_around


class Fused:
    """A marketplace whose every `tell_*` is a moment to be killed at."""

    def __init__(self, waldur: Any, fuse: Fuse) -> None:
        self._waldur = waldur
        self._fuse = fuse

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._waldur, name)
        return self._fuse.around(found) if name.startswith("tell_") else found


class FusedState:
    """A state directory whose every replacement is one."""

    def __init__(self, state: Any, fuse: Fuse) -> None:
        self.read = state.read
        self._replace = fuse.around(state.replace)

    def replace(self, name: str, document: Document) -> None:
        self._replace(name, document)


def busy(directory: Path, dialect: Dialect) -> Site:
    """Something of everything: a closed month, people, a limit, an account gone and one back."""
    site = make_site(directory, dialect)
    site.waldur.refuses_past_months = True
    for number in range(3):
        site.allocation(f"other{number}", "bob")
    site.allocation("back", "bob")
    site.drop_account("back")
    site.move_to(EDGE - HOUR)
    site.cycle().run()
    site.account("back", "bob")
    site.allocation("alpha", "ann", gpu=5)
    site.account("alpha", "ann", "bob", gpu=8)
    site.job("alpha", "ann", EDGE - 3 * HOUR, EDGE + HOUR, gpu=1)
    site.job("other1", "bob", EDGE - 3 * HOUR)
    gone = site.allocation("gone", "bob")
    site.job("gone", "bob", EDGE, EDGE + HOUR)
    site.drop_account(gone.backend_id)
    site.move_to(EDGE + 2 * HOUR)
    return site


def outcome(site: Site) -> object:
    usages = {key: usage.amount for key, usage in site.waldur.usages.items()}
    people = {(u.resource, u.username): u.amount for u in site.waldur.user_usages.values()}
    held = {r.backend_id: (r.state, r.limits) for r in site.waldur.resources.values()}
    return usages, people, held, site.waldur.associations, Journal(site.state).read_owed()


@pytest.mark.parametrize("dialect", list(Dialect))
def test_wherever_it_is_killed_the_next_cycle_ends_the_same(
    tmp_path: Path, dialect: Dialect
) -> None:
    whole = busy(tmp_path / "whole", dialect)
    whole.cycle().run()
    assert whole.state_of(by_name(whole, "gone")) is ResourceState.ERRED
    moments = 0
    while True:
        site = busy(tmp_path / str(moments), dialect)
        fuse = Fuse(moments + 1)
        cycle = site.cycle()
        cycle.marketplace = Fused(site.waldur, fuse)
        cycle.state = FusedState(site.state, fuse)
        try:
            cycle.run()
        except Killed:
            moments += 1
        else:
            break
        site.cycle().run()
        assert outcome(site) == outcome(whole), f"killed at moment {moments}"
        site.account("gone", "bob")
        site.cycle().run()
        assert site.waldur.written("tell_resource_ok")[-1].subject == by_name(site, "gone").uuid
    assert moments > 20


def by_name(site: Site, name: str) -> Any:
    return next(r for r in site.waldur.resources.values() if r.backend_id == name)
