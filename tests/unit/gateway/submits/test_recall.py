"""A key is asked for its job, whatever became of the request that had it."""

import pytest

from tests.unit.gateway.submits.desk import Desk
from waldur_slurm.gateway.errors import OutcomeUnknown
from waldur_slurm.gateway.submits.attempt import Key
from waldur_slurm.model.batch import JobId

KEY = Key("token:portal", "k")


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_key_is_recalled_with_its_job(desk: Desk) -> None:
    placed, _ = desk.submit()

    assert desk.submitter.recall(KEY) == placed
    assert desk.submitter.recall(Key("token:portal", "never")) is None


def test_a_key_whose_answer_was_lost_is_recalled_once_it_is_found(desk: Desk) -> None:
    desk.lose()

    found = desk.submitter.recall(KEY)
    assert found is not None
    assert found.job_id == JobId(1)
    assert desk.journal.unsettled() == ()


def test_a_key_that_may_still_make_a_job_is_not_recalled_as_free(desk: Desk) -> None:
    desk.lose("requests")
    with pytest.raises(OutcomeUnknown):
        desk.submitter.recall(KEY)

    desk.wait(minutes=2)
    assert desk.submitter.recall(KEY) is None
    assert desk.journal.kept == {}
