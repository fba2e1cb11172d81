"""`check`: judge everything a newcomer may have got wrong; changes nothing."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from waldur_slurm.agent.check.facts import Facts, SettingsFacts, read_slurm, read_waldur, user_names
from waldur_slurm.agent.check.judgement import judge
from waldur_slurm.agent.commands import display_of, typed_with
from waldur_slurm.agent.composition import Parts, now
from waldur_slurm.agent.daemon.hooks import hooks_in
from waldur_slurm.agent.daemon.show import announcer
from waldur_slurm.agent.settings import LOGS, STATE, Direction
from waldur_slurm.service.check.findings import Obstacle
from waldur_slurm.service.check.known import Known, known
from waldur_slurm.service.check.report import report
from waldur_slurm.service.check.storage import Wanted, obstacle
from waldur_slurm.service.check.systemd import read_unit


def check(parts: Parts, arguments: argparse.Namespace) -> int:
    """Say of each thing whether it is in order, and what to do where it is not."""
    env_file: Path | None = arguments.env_file
    findings = tuple(
        replace(finding, advice=typed_with(env_file, finding.advice))
        for finding in judge(_facts(parts, env_file))
    )
    return report(
        display_of(parts),
        findings,
        as_json=arguments.json,
        can="The agent can run",
        cannot="The agent cannot run yet",
    )


def _facts(parts: Parts, env_file: Path | None) -> Facts:
    told = parts.settings
    announce = announcer(sys.stderr)
    lets_people_in = told.direction is Direction.PULL
    waldur = read_waldur(lambda: parts.marketplace, now, announce)
    return Facts(
        settings=SettingsFacts(
            direction=told.direction,
            api_url=told.api_url,
            verify_ssl=told.verify_ssl,
            default_account=told.pull.default_account,
            require_unix_users=told.pull.require_unix_users,
            warnings=parts.warnings,
            env_file=str(env_file or ""),
            token_file=str(told.api_token_file or ""),
        ),
        components=known(lambda: parts.components),
        storage=_storage(parts, env_file),
        waldur=waldur,
        slurm=read_slurm(
            lambda: parts.accounting,
            user_names(waldur) if lets_people_in else frozenset(),
            announce,
        ),
        hooks=_hooks(told.hook_dir),
    )


def _storage(parts: Parts, env_file: Path | None) -> Mapping[str, str | Obstacle]:
    told = parts.settings
    unit = read_unit(parts.host, units_of(told.direction, env_file), env_file) if env_file else None
    wanted = {"state directory": Wanted(told.state_dir.absolute(), is_directory=True)}
    if told.audit_log:
        wanted["audit log"] = Wanted(told.audit_log.absolute(), is_directory=False)
    return {name: obstacle(each, (STATE, LOGS), unit) for name, each in wanted.items()}


def units_of(direction: str, env_file: Path) -> tuple[str, str]:
    """Return the units that are shipped; of several offerings each is called by its directory."""
    name = f"waldur-slurm-service-{direction}"
    return name, f"{name}@{env_file.absolute().parent.name}"


def _hooks(directory: Path | None) -> Known[Sequence[str]] | None:
    return known(lambda: sorted(hooks_in(directory))) if directory else None
