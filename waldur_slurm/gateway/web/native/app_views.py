"""Apps, their templates and managed jobs, as the gateway's own API shows them. Pure."""

from datetime import datetime
from typing import Any

import msgspec

from waldur_slurm.gateway.apps.app import App
from waldur_slurm.gateway.apps.job import ManagedJob, Run
from waldur_slurm.gateway.apps.parameters import Parameter
from waldur_slurm.gateway.apps.plan import Live, Said, is_started
from waldur_slurm.gateway.apps.template import Template
from waldur_slurm.gateway.doors.tokens import Token


class AppTokenView(msgspec.Struct, frozen=True):
    id: str
    name: str
    run_as: str
    made: datetime
    ends: datetime | None
    last_used: datetime | None


class AppView(msgspec.Struct, frozen=True):
    """With `cross_user` its users see and start each other's jobs."""

    id: str
    name: str
    made: datetime
    cross_user: bool
    tokens: tuple[AppTokenView, ...]


class AppsAnswer(msgspec.Struct, frozen=True):
    apps: tuple[AppView, ...]


class NewTokenView(msgspec.Struct, frozen=True):
    """`token` is shown this once."""

    id: str
    token: str


class NewAppView(msgspec.Struct, frozen=True):
    """`token` is shown this once."""

    app: AppView
    token: str


class ParameterView(msgspec.Struct, frozen=True):
    """`least` and `most` bound a number, or how long a text or a list is."""

    name: str
    kind: str
    required: bool
    default: Any
    least: int | None
    most: int | None
    choices: tuple[str, ...]
    matches: str
    says: str


class TemplateView(msgspec.Struct, frozen=True):
    name: str
    text: str
    parameters: tuple[ParameterView, ...]


class TemplatesAnswer(msgspec.Struct, frozen=True):
    templates: tuple[str, ...]


class ScriptView(msgspec.Struct, frozen=True):
    script: str


class RunView(msgspec.Struct, frozen=True):
    """One start of a job. `state` is empty as long as nobody knows that it ended."""

    number: int
    asked: datetime
    slurm_id: int | None
    account: str
    stdout: str
    state: str
    exit_code: int | None
    exit_signal: int | None
    began: datetime | None
    ended: datetime | None
    reason: str


class RunsAnswer(msgspec.Struct, frozen=True):
    """The oldest first."""

    runs: tuple[RunView, ...]


class ManagedJobView(msgspec.Struct, frozen=True):
    """`state` is Slurm's word for the last run; empty where there is none, or nobody tells."""

    id: str
    app: str
    user: str
    name: str
    made: datetime
    started: bool
    state: str
    reason: str
    last_run: RunView | None


class ManagedJobsAnswer(msgspec.Struct, frozen=True):
    """The oldest first."""

    jobs: tuple[ManagedJobView, ...]


def app_view(app: App, tokens: tuple[Token, ...]) -> AppView:
    own = tuple(_token_view(token) for token in tokens if token.app == app.id)
    return AppView(app.id, app.name, app.made, app.cross_user, own)


def _token_view(token: Token) -> AppTokenView:
    return AppTokenView(
        id=token.id,
        name=token.name,
        run_as=str(token.run_as),
        made=token.made,
        ends=token.ends,
        last_used=token.last_used,
    )


def template_view(name: str, template: Template) -> TemplateView:
    parameters = tuple(map(_parameter_view, template.parameters.values()))
    return TemplateView(name, template.text, parameters)


def _parameter_view(parameter: Parameter) -> ParameterView:
    return ParameterView(
        name=parameter.name,
        kind=parameter.kind,
        required=parameter.required,
        default=parameter.default,
        least=parameter.least,
        most=parameter.most,
        choices=parameter.choices,
        matches=parameter.matches,
        says=parameter.says,
    )


def managed_job_view(job: ManagedJob, said: Said) -> ManagedJobView:
    run = job.last
    state, reason = (run.end.state, run.end.reason) if run and run.end else ("", "")
    if isinstance(said, Live):
        state, reason = said.job.state.base, said.job.reason
    return ManagedJobView(
        id=job.id,
        app=job.app,
        user=job.user,
        name=job.name,
        made=job.made,
        started=is_started(job, said),
        state=state,
        reason=reason,
        last_run=run_view(run) if run else None,
    )


def run_view(run: Run) -> RunView:
    end = run.end
    return RunView(
        number=run.number,
        asked=run.asked,
        slurm_id=run.slurm_id,
        account=run.account,
        stdout=run.stdout,
        state=end.state if end else "",
        exit_code=end.exit_code if end else None,
        exit_signal=end.exit_signal if end else None,
        began=end.began if end else None,
        ended=end.ended if end else None,
        reason=end.reason if end else "",
    )
