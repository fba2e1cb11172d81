"""Ends a test run's output with what the trust tests tried, summed up over all workers."""

from collections import Counter
from typing import Any

import pytest

from tests.trust.size import IS_CAMPAIGN, MINUTES, SEED, tried

_OUTPUT = "trust_tried"

_everywhere: Counter[str] = Counter()


def pytest_report_header() -> str | None:
    if not IS_CAMPAIGN:
        return None
    return f"campaign: {MINUTES} minutes, seed {SEED}"


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker hands its sums to the process that started it."""
    output = getattr(session.config, "workeroutput", None)
    if output is None:
        _everywhere.update(tried)
    else:
        output[_OUTPUT] = dict(tried)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    _everywhere.update(getattr(node, "workeroutput", {}).get(_OUTPUT, {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not _everywhere:
        return
    terminalreporter.section("what the trust tests tried")
    width = len(f"{max(_everywhere.values()):,}")
    for kind, number in sorted(_everywhere.items()):
        terminalreporter.write_line(f"{number:>{width},}  {kind}")
