"""A refusal says how to go on."""

import pytest

from waldur_slurm.gateway.errors import NotNow, TooFast
from waldur_slurm.gateway.web.problems import advice


@pytest.mark.parametrize(("wait_s", "said"), [(0.0, "1"), (0.2, "1"), (1.2, "2"), (60.0, "60")])
def test_whoever_comes_again_when_he_was_told_does_not_come_too_soon(
    wait_s: float, said: str
) -> None:
    assert advice(TooFast("", wait_s)) == advice(NotNow("", wait_s)) == {"Retry-After": said}
