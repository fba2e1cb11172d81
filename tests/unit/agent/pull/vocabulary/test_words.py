"""Every step has a sentence for people and a record for machines."""

import json
from datetime import UTC, datetime
from typing import get_args

import pytest

from tests.fakes.pull import Site, new_site
from waldur_slurm.agent.model.marketplace import OrderUuid, UserUuid
from waldur_slurm.agent.pull.vocabulary import steps
from waldur_slurm.agent.pull.vocabulary.stages import Stage
from waldur_slurm.agent.pull.vocabulary.words import record_of, sentence_of
from waldur_slurm.agent.pull.world.ledger import AccountHold, QosBefore, UserHold
from waldur_slurm.model.accounts import NewAccount
from waldur_slurm.model.jobs import QueuedJob
from waldur_slurm.model.names import AccountName, UserName
from waldur_slurm.model.tres import tres_name
from waldur_slurm.telemetry.lines import as_text

A, B, U, O = AccountName("a"), AccountName("b"), UserName("u"), OrderUuid("o")  # noqa: E741 - an order
GPU = tres_name("gres/gpu")
FREE, HELD = AccountHold(None, None), AccountHold(0, 0)


@pytest.fixture
def site() -> Site:
    site = new_site()
    project = site.waldur.make_project()
    site.waldur.add_member(project, "ann")
    site.waldur.place_create(project, "alloc", {"gpu": 1})
    site.waldur.place_create(project, "absurd", {"gpu": -1})
    return site


def every_step() -> list[steps.Step]:
    site = new_site()
    resource = site.waldur.make_resource(site.waldur.make_project(), "r", backend_id="old")
    job = QueuedJob("7", A, U, "PENDING", datetime(2026, 11, 21, tzinfo=UTC))
    return [
        steps.ApproveOrder(order=O),
        steps.RejectOrder(order=O, reason="why"),
        steps.ErrOrder(order=O, reason="why"),
        steps.ExplainOrder(order=O, message="why"),
        steps.AdoptAccount(account=A, description="mark", before="alloc"),
        steps.DescribeAccount(account=A, description="mark", before="mark old"),
        steps.AddAccount(stage=Stage.CUSTOMERS, new=NewAccount(A, B, "d", "o", {GPU: 1})),
        steps.MoveAccount(account=A, parent=B, before=None),
        steps.RemoveAccount(stage=Stage.ALLOCATIONS_OUT, account=A, reason="why"),
        steps.SetLimits(account=A, limits=((GPU, None),), before={GPU: 3}),
        steps.HoldAccount(account=A, before=FREE, reason="why"),
        steps.ReleaseAccount(account=A, restored=FREE),
        steps.SetQos(
            account=A,
            qos=QosBefore(("low",), "low"),
            before=QosBefore((), ""),
            is_downscaled=True,
        ),
        steps.AddUser(account=A, user=U),
        steps.MakeHome(user=U),
        steps.HoldUser(account=A, user=U, before=UserHold(None), reason="left"),
        steps.ReleaseUser(account=A, user=U, restored=UserHold(4)),
        steps.CancelJobs(account=A, user=U, jobs=(job,)),
        steps.SetDefaultAccount(user=U, account=B, leaving=A),
        steps.RemoveUser(account=A, user=U, reason="why"),
        steps.ReportFinalUsage(resource=resource, account=A),
        steps.TellBackendId(resource=resource, account=A),
        steps.CompleteOrder(resource=resource, order=O, settles_resource=True),
        steps.TellAssociation(resource=resource, account=A, user=U),
        steps.TellNoAssociation(resource=resource, account=A, user=U),
        steps.DeleteOfferingUser(offering_user="7" * 32, user=UserUuid("6" * 32), name="ann"),
        steps.MakeOfferingUser(user=UserUuid("6" * 32), name="ann"),
    ]


def test_every_kind_of_step_has_words_a_record_and_a_subject() -> None:
    assert {type(step) for step in every_step()} == set(get_args(steps.Step))
    for step in every_step():
        assert sentence_of(step)
        assert json.dumps(record_of(step))
        assert steps.subject_of(step)
    assert len({step.event for step in every_step()}) == len(every_step())


@pytest.mark.parametrize(
    ("step", "before", "after"),
    [
        (every_step()[9], {GPU: 3}, {GPU: None}),
        (every_step()[10], [None, None], [0, 0]),
        (every_step()[15], None, 0),
        (every_step()[18], "a", "b"),
        (every_step()[21], "old", "a"),
    ],
    ids=lambda value: getattr(value, "event", ""),
)
def test_a_record_tells_before_and_after(step: steps.Step, before: object, after: object) -> None:
    record = record_of(step)

    assert (record["before"], record["after"]) == (before, after)


def test_jobs_are_counted_and_named_in_the_plan_and_are_no_number_in_the_log() -> None:
    def cancelling(*ids: str) -> steps.CancelJobs:
        jobs = (QueuedJob(i, A, U, "PENDING", datetime(2026, 11, 21, tzinfo=UTC)) for i in ids)
        return steps.CancelJobs(account=A, user=U, jobs=tuple(jobs))

    assert sentence_of(cancelling("3")) == "cancel 1 job (3) of u in a"
    assert sentence_of(cancelling("3", "4_[1-9]")) == "cancel 2 jobs (3, 4_[1-9]) of u in a"
    many = sentence_of(cancelling(*"1234567"))
    assert many == "cancel 7 jobs (1, 2, 3, 4, 5 and 2 more) of u in a"
    assert as_text(record_of(cancelling("3"))) == "account=a user=u job_ids=3"
