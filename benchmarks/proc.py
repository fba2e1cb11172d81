"""What the kernel says of a process: its memory, and the processor time of its own."""

import os
import re
from pathlib import Path

PAGE = os.sysconf("SC_PAGE_SIZE")
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
RESIDENT = 1  # of statm's fields
USER, SYSTEM = 11, 12  # of stat's fields, counted from the one behind the name


def resident_megabytes(pid: int) -> float:
    pages = Path(f"/proc/{pid}/statm").read_text().split()[RESIDENT]
    return int(pages) * PAGE / 1e6


def peak_megabytes(pid: int) -> float:
    """The most that was ever resident of it."""
    found = re.search(r"^VmHWM:\s+(\d+) kB$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    if found is None:
        raise ValueError(f"the kernel tells no peak of process {pid}")
    return int(found[1]) * 1024 / 1e6


def own_cpu_seconds(pid: int) -> float:
    """Its own, without that of the commands it started."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[USER]) + int(fields[SYSTEM])) / TICKS_A_SECOND
