"""Programs of the site's own hear of what was made: once, all of it, and nothing hangs on them."""

import json
import os
from datetime import timedelta
from pathlib import Path

import pytest

from waldur_slurm.agent.daemon.hooks import Hooks, hooks_in
from waldur_slurm.errors import StateError
from waldur_slurm.telemetry.events import Event, Level

ANN = Event(name="user.added", fields={"account": "hpc_a", "user": "ann"}, is_change=True)
BOB = Event(name="user.added", fields={"account": "hpc_a", "user": "bob"}, is_change=True)
LIMITS = Event(name="limits.set", fields={"account": "hpc_a"}, is_change=True)


class Site:
    def __init__(self, directory: Path, **options: timedelta) -> None:
        self.directory = directory
        self.heard = directory.parent / "heard"
        self.told: list[Event] = []
        environ = {"PATH": os.defpath, "WALDUR_API_TOKEN": "secret"}
        self.hooks = Hooks(directory, environ, self.told.append, **options)

    def install(self, script: str, name: str = "user.added") -> Path:
        hook = self.directory / name
        hook.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        hook.chmod(0o755)
        return hook

    def happen(self, *events: Event) -> None:
        for event in events:
            self.hooks(event)
        self.hooks.run()

    @property
    def failure(self) -> str:
        (event,) = self.told
        assert (event.name, event.level) == ("hook.failed", Level.WARNING)
        return str(event.fields["error"])


@pytest.fixture
def site(tmp_path: Path) -> Site:
    directory = tmp_path / "hooks"
    directory.mkdir(mode=0o755)
    return Site(directory)


def test_a_hook_hears_everything_at_once_and_only_once(site: Site) -> None:
    site.install(f"echo started >>{site.heard}; cat >>{site.heard}")

    site.happen(ANN, LIMITS, BOB)
    site.happen()

    started, *lines = site.heard.read_text().splitlines()
    assert started == "started"
    assert [json.loads(line) for line in lines] == [
        {"event": "user.added", "account": "hpc_a", "user": "ann"},
        {"event": "user.added", "account": "hpc_a", "user": "bob"},
    ]
    assert [(event.name, event.fields["changes"]) for event in site.told] == [("hook.ran", 2)]


def test_what_nobody_wants_to_hear_is_no_trouble(site: Site) -> None:
    site.happen(ANN)

    assert site.told == []


def test_a_hook_is_told_no_secret(site: Site) -> None:
    site.install(f"cat >/dev/null; env >{site.heard}")

    site.happen(ANN)

    assert "secret" not in site.heard.read_text()


def test_a_hook_that_fails_is_told_with_its_words(site: Site) -> None:
    site.install("echo no quota for ann >&2; exit 3")

    site.happen(ANN)

    assert site.failure == "it exited 3: no quota for ann"


def test_a_hook_that_hangs_is_ended(tmp_path: Path) -> None:
    site = Site(tmp_path, longest=timedelta(seconds=0.2))
    site.install("exec sleep 60")

    site.happen(ANN)

    assert "did not end within 0.2 s" in site.failure


def test_a_hook_that_reads_nothing_is_well(site: Site) -> None:
    site.install("exit 0")

    site.happen(*[ANN] * 5_000)

    assert [event.name for event in site.told] == ["hook.ran"]


@pytest.mark.parametrize("mode", [0o775, 0o757])
def test_a_hook_that_others_may_write_does_not_run(site: Site, mode: int) -> None:
    hook = site.install(f"touch {site.heard}")
    hook.chmod(mode)

    site.happen(ANN)

    assert site.failure == f"others may write to {hook}: chmod go-w"
    assert not site.heard.exists()


def test_a_directory_that_others_may_write_is_refused(site: Site) -> None:
    site.directory.chmod(0o777)

    with pytest.raises(StateError, match="others may write"):
        hooks_in(site.directory)


def test_a_hook_of_a_stranger_is_refused(site: Site) -> None:
    os.chown(site.install("exit 0"), 65_534, 65_534)

    with pytest.raises(StateError, match="belongs neither to root nor to the agent's user"):
        hooks_in(site.directory)


def test_a_hook_that_cannot_run_and_a_place_that_is_not_there_are_said(site: Site) -> None:
    site.install("exit 0").chmod(0o644)
    with pytest.raises(StateError, match="is not executable"):
        hooks_in(site.directory)
    with pytest.raises(StateError, match="No such file or directory"):
        hooks_in(site.directory / "nothing")
