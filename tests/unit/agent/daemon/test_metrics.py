"""What Prometheus reads: every event counted where it belongs, and no label that could grow."""

from decimal import Decimal

from prometheus_client.parser import text_string_to_metric_families

from waldur_slurm.agent.daemon.metrics import Metrics
from waldur_slurm.agent.report.standing import Standing
from waldur_slurm.telemetry.events import Event, Level

UUID = "0123456789abcdef0123456789abcdef"
LABELS = {
    "command",
    "component",
    "dialect",
    "direction",
    "event",
    "kind",
    "le",
    "level",
    "method",
    "outcome",
    "phase",
    "version",
}
PULL = Standing(
    is_brake_active=True,
    drift={"limits": 2, "parent": 1},
    refused={"brake": 1},
    quarantined=3,
    members_without_access={"no offering user": 4, "no user name": 1},
)
PUSH = Standing(
    unreported={"cpu": Decimal("10.50"), "gpu": Decimal("0.25")},
    usage_of_unknown_users=5,
    runaway_jobs=6,
    erred_resources=7,
)


def metrics(*events: Event, is_ready: bool = True) -> Metrics:
    made = Metrics(
        version="1.0.0",
        direction="pull",
        interval_s=60.0,
        is_ready=lambda: is_ready,
        now=lambda: 1_795_000_000.0,
    )
    for event in events:
        made(event)
    return made


def samples(made: Metrics) -> dict[str, float]:
    """Every sample as Prometheus would write it, without the process's own."""
    found = {}
    for family in text_string_to_metric_families(made.exposition().decode()):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return {name: value for name, value in found.items() if not name.startswith("process_")}


def ended(outcome: str, **fields: object) -> Event:
    told = {"outcome": outcome, "seconds": 2.0, **fields}
    return Event(name="cycle.ended", level=Level.DEBUG, fields=told)


def command(line: str, code: int | None) -> Event:
    fields = {"command": line, "code": code, "seconds": 0.25}
    return Event(name="slurm.command", level=Level.DEBUG, fields=fields)


def request(line: str, status: int | None) -> Event:
    fields = {"request": line, "status": status, "seconds": 0.5}
    return Event(name="waldur.request", level=Level.DEBUG, fields=fields)


def test_a_cycle_is_timed_by_how_it_ended() -> None:
    shown = samples(metrics(ended("ok", standing=PULL), ended("failed"), ended("failed")))

    assert shown["agent_cycle_seconds_count{outcome=ok}"] == 1
    assert shown["agent_cycle_seconds_count{outcome=failed}"] == 2
    assert shown["agent_cycle_seconds_sum{outcome=failed}"] == 4
    assert shown["agent_cycle_seconds_count{outcome=partial}"] == 0


def test_the_last_success_is_when_a_cycle_came_to_its_end() -> None:
    name = "agent_last_success_timestamp_seconds{direction=pull}"

    assert name not in samples(metrics(ended("failed")))
    assert samples(metrics(ended("partial", standing=PULL)))[name] == 1_795_000_000


def test_looks_are_timed_by_how_they_ended_and_say_nothing_of_cycles() -> None:
    told = Event(name="look.ended", level=Level.DEBUG, fields={"outcome": "ok", "seconds": 1.5})

    shown = samples(metrics(told, told))

    assert shown["agent_look_seconds_count{outcome=ok}"] == 2
    assert shown["agent_look_seconds_sum{outcome=ok}"] == 3
    assert shown["agent_cycle_seconds_count{outcome=ok}"] == 0


def test_phases_are_timed() -> None:
    told = Event(name="cycle.phase", level=Level.DEBUG, fields={"phase": "read", "seconds": 1.5})

    shown = samples(metrics(told, told))

    assert shown["agent_cycle_phase_seconds_count{phase=read}"] == 2
    assert shown["agent_cycle_phase_seconds_sum{phase=read}"] == 3


def test_commands_are_counted_by_tool_and_outcome_whatever_their_arguments() -> None:
    shown = samples(
        metrics(
            command("/opt/slurm/bin/sacctmgr -i add account hpc_secret", 0),
            command("sacctmgr show account", 0),
            command("sacctmgr show account", 1),
            command("sacct -a", None),
        )
    )

    name = "agent_slurm_command_seconds_count"
    assert shown[f"{name}{{command=sacctmgr,outcome=ok}}"] == 2
    assert shown[f"{name}{{command=sacctmgr,outcome=failed}}"] == 1
    assert shown[f"{name}{{command=sacct,outcome=unfinished}}"] == 1
    assert shown["agent_slurm_command_seconds_sum{command=sacct,outcome=unfinished}"] == 0.25


def test_requests_are_counted_by_method_and_class_of_status() -> None:
    shown = samples(
        metrics(
            request(f"GET marketplace-orders/{UUID}/", 200),
            request("POST marketplace-orders/", 201),
            request("GET x/", 404),
            request("GET x/", None),
        )
    )

    name = "agent_waldur_request_seconds_count"
    assert shown[f"{name}{{method=GET,outcome=2xx}}"] == 1
    assert shown[f"{name}{{method=POST,outcome=2xx}}"] == 1
    assert shown[f"{name}{{method=GET,outcome=4xx}}"] == 1
    assert shown[f"{name}{{method=GET,outcome=unanswered}}"] == 1


def test_orders_are_counted_by_what_became_of_them() -> None:
    done = Event(name="order.done", fields={"order": UUID}, is_change=True)

    shown = samples(metrics(done, done))

    assert shown["agent_orders_total{outcome=done}"] == 2
    assert shown["agent_orders_total{outcome=erred}"] == 0


def test_what_the_log_says_is_counted_and_the_transcript_is_not() -> None:
    failed = Event(name="step.failed", level=Level.ERROR, fields={"subject": "hpc_secret"})

    shown = samples(metrics(failed, failed, command("sacct", 0)))

    assert shown["agent_events_total{event=step.failed,level=error}"] == 2
    assert not any("event=slurm.command" in name for name in shown)


def test_what_a_pull_cycle_left_standing_is_shown() -> None:
    shown = samples(metrics(ended("ok", standing=PULL)))

    assert shown["agent_brake_active"] == 1
    assert shown["agent_drift{kind=limits}"] == 2
    assert shown["agent_refused{kind=brake}"] == 1
    assert shown["agent_quarantined"] == 3
    assert shown["agent_members_without_access{reason=no offering user}"] == 4
    assert shown["agent_members_without_access{reason=no user name}"] == 1
    assert "agent_runaway_jobs" not in shown
    assert "agent_erred_resources" not in shown


def test_what_a_push_cycle_left_standing_is_shown() -> None:
    shown = samples(metrics(ended("ok", standing=PUSH)))

    assert shown["agent_unreported_usage{component=cpu}"] == 10.5
    assert shown["agent_unreported_usage{component=gpu}"] == 0.25
    assert shown["agent_usage_of_unknown_users"] == 5
    assert shown["agent_runaway_jobs"] == 6
    assert shown["agent_erred_resources"] == 7
    assert "agent_quarantined" not in shown


def test_a_failed_cycle_leaves_what_stood_and_a_good_one_replaces_all_of_it() -> None:
    before = [ended("ok", standing=PULL), ended("failed")]

    assert samples(metrics(*before))["agent_drift{kind=parent}"] == 1
    after = samples(metrics(*before, ended("ok", standing=Standing(drift={"limits": 1}))))
    assert after["agent_drift{kind=limits}"] == 1
    assert "agent_drift{kind=parent}" not in after


def test_nothing_is_claimed_before_the_first_cycle() -> None:
    shown = samples(metrics())

    assert not {name for name in shown if name.startswith(("agent_brake", "agent_drift"))}


def test_the_agent_says_what_it_is_and_which_waldur_it_found() -> None:
    told = Event(name="waldur.dialect_found", fields={"dialect": "today"})

    assert samples(metrics())["agent_info{dialect=,direction=pull,version=1.0.0}"] == 1
    assert samples(metrics(told))["agent_info{dialect=today,direction=pull,version=1.0.0}"] == 1


def test_readiness_and_interval_are_there_for_alerts() -> None:
    assert samples(metrics())["agent_ready"] == 1
    assert samples(metrics(is_ready=False))["agent_ready"] == 0
    assert samples(metrics())["agent_interval_seconds"] == 60


def test_no_label_can_hold_an_account_a_user_or_a_uuid() -> None:
    made = metrics(
        ended("ok", standing=PULL),
        ended("ok", standing=PUSH),
        command("/usr/bin/sacctmgr -i add user secret account=hpc_secret", 0),
        request(f"GET projects/{UUID}/", 200),
        Event(name="order.done", fields={"order": UUID, "user": "secret"}, is_change=True),
        Event(name="step.failed", level=Level.ERROR, fields={"subject": "hpc_secret"}),
        Event(name="cycle.failed", level=Level.ERROR, fields={"error": f"no secret in {UUID}"}),
    )
    text = made.exposition().decode()

    assert "secret" not in text
    assert UUID not in text
    used = {
        label
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        for label in sample.labels
    }
    assert used <= LABELS


def test_an_event_without_the_fields_that_are_counted_disturbs_nobody() -> None:
    made = metrics(
        Event(name="slurm.command", level=Level.DEBUG),
        Event(name="waldur.request", level=Level.DEBUG, fields={"request": 7}),
        Event(name="cycle.ended", level=Level.DEBUG),
    )

    assert samples(made) == samples(metrics())
