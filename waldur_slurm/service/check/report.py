"""What `check` says of all that it looked at, and the exit code that follows from it."""

from collections.abc import Sequence

from waldur_slurm.model.counting import counted
from waldur_slurm.service.check.findings import STYLES, Finding, Verdict, is_fit
from waldur_slurm.service.display import Display
from waldur_slurm.service.program import FAILED


def report(
    display: Display, findings: Sequence[Finding], *, as_json: bool, can: str, cannot: str
) -> int:
    """`can` and `cannot` begin the last line: "The agent can run", "The agent cannot run yet"."""
    if as_json:
        display.json({"fit": is_fit(findings), "findings": findings})
    else:
        rows = [(f.verdict, f.subject, "; ".join(f.found.splitlines()), f.advice) for f in findings]
        display.table(("", "what", "found", "what to do"), rows, STYLES)
        display.line("")
        display.line(_summary(findings, can, cannot))
    return 0 if is_fit(findings) else FAILED


def _summary(findings: Sequence[Finding], can: str, cannot: str) -> str:
    if is_fit(findings):
        warnings = sum(finding.verdict is Verdict.WARNING for finding in findings)
        return f"{can}; {counted(warnings, 'warning')}." if warnings else "All is well."
    failures = sum(finding.verdict is Verdict.FAILED for finding in findings)
    return f"{cannot}: {failures} to mend, from the top."
