"""`check`: everything that was found, in the order in which to mend it. Pure."""

from collections.abc import Iterator, Sequence

from waldur_slurm.agent.check.facts import Facts
from waldur_slurm.agent.check.slurm import judge_slurm
from waldur_slurm.agent.check.waldur import judge_waldur
from waldur_slurm.errors import ExpectedError
from waldur_slurm.model.counting import counted
from waldur_slurm.service.check.findings import Finding, failed, fine, warning
from waldur_slurm.service.check.known import Known

_PLACES = {"state directory": "AGENT_STATE_DIR", "audit log": "AGENT_AUDIT_LOG"}


def judge(facts: Facts) -> tuple[Finding, ...]:
    return (
        *_judge_settings(facts),
        *_judge_tres_file(facts),
        *_judge_storage(facts),
        *_judge_hooks(facts.hooks),
        *judge_waldur(facts),
        *judge_slurm(facts),
    )


def _judge_settings(facts: Facts) -> Iterator[Finding]:
    told = facts.settings
    advice = f"correct it in {told.env_file or 'the env file'}"
    warnings = [warning("settings", text, advice) for text in told.warnings]
    if told.api_url.startswith("http://"):
        warnings.append(
            warning(
                "settings",
                "the token travels to Waldur unencrypted",
                "use https in WALDUR_API_URL",
            )
        )
    if not told.verify_ssl:
        warnings.append(
            warning(
                "settings",
                "Waldur's certificate is not verified",
                "trust its authority on this host and remove REQUESTS_VERIFY_SSL",
            )
        )
    yield from warnings
    if not warnings:
        yield fine("settings", f"complete, for {told.direction}")


def _judge_tres_file(facts: Facts) -> Iterator[Finding]:
    components = facts.components
    if isinstance(components, ExpectedError):
        yield failed("TRES file", str(components), "correct the file")
        return
    raw_hours = [
        component.type
        for component in components
        if "hour" in component.measured_unit.lower() and component.unit_factor == 1
    ]
    if raw_hours:
        yield warning(
            "TRES file",
            f"{', '.join(raw_hours)}: the unit speaks of hours, but one unit is one TRES-minute",
            "set unit_factor (60000 for k-Hours, 61440 for GiB-hours) or name the unit minutes",
        )
        return
    yield fine("TRES file", counted(len(components), "component"))


def _judge_storage(facts: Facts) -> Iterator[Finding]:
    for what, how in facts.storage.items():
        if isinstance(how, str):
            yield fine(what, how)
        else:
            rather = f"{how.cure}, or " if how.cure else ""
            yield failed(what, how.found, f"{rather}set {_PLACES[what]} to another place")


def _judge_hooks(hooks: Known[Sequence[str]] | None) -> Iterator[Finding]:
    if hooks is None:
        return
    if isinstance(hooks, ExpectedError):
        advice = 'see "Programs of your own" in docs/operations.md, or unset AGENT_HOOK_DIR'
        yield failed("hooks", str(hooks), advice)
    elif not hooks:
        advice = "name them account.added and user.added, or unset AGENT_HOOK_DIR"
        yield warning("hooks", "AGENT_HOOK_DIR holds none", advice)
    else:
        yield fine("hooks", ", ".join(hooks))
