"""What a fresh login's limits begin with is read from the kernel's own table."""

from waldur_slurm.hand.conf import UNLIMITED, Limit
from waldur_slurm.hand.limits import NAMES, parse_limits

TABLE = """\
Limit                     Soft Limit           Hard Limit           Units
Max cpu time              unlimited            unlimited            seconds
Max stack size            8388608              unlimited            bytes
Max open files            1024                 524288               files
Max file locks            unlimited            unlimited            locks
Max realtime priority     0                    0
"""


def test_each_row_with_a_name_is_a_limit() -> None:
    assert [*parse_limits(TABLE)] == [
        Limit("cpu", UNLIMITED, UNLIMITED),
        Limit("stack", 8388608, UNLIMITED),
        Limit("nofile", 1024, 524288),
        Limit("rtprio", 0, 0),
    ]


def test_this_kernels_own_table_is_understood() -> None:
    with open("/proc/self/limits", encoding="ascii") as file:  # noqa: PTH123 - as the hand does
        assert {limit.name for limit in parse_limits(file.read())} == {*NAMES.values()}
