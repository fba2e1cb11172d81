"""Mistakes that no variable makes alone: what they must be to each other.

A variable that was itself a mistake is missing from `values` and draws no second complaint.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from waldur_slurm.agent.push.plan.policy import LimitsReported
from waldur_slurm.variables.readers import token
from waldur_slurm.variables.variable import plain


def mistakes_across(environ: Mapping[str, str], values: dict[str, Any]) -> Iterator[str]:
    """Complain of what does not fit together; the token from its file is put into `values`."""
    yield from _token_mistakes(environ, values)
    yield from _name_mistakes(values)
    yield from _limit_mistakes(values)


def _token_mistakes(environ: Mapping[str, str], values: dict[str, Any]) -> Iterator[str]:
    """Fill in the token from its file; it must come from exactly one place."""
    is_given = bool(plain(environ.get("WALDUR_API_TOKEN", "")))
    source: Path | None = values.get("WALDUR_API_TOKEN_FILE")
    if is_given and source:
        yield "WALDUR_API_TOKEN and WALDUR_API_TOKEN_FILE are both set; expected only one of them"
    elif source:
        try:
            values["WALDUR_API_TOKEN"] = token(source.read_text(encoding="ascii").strip())
        except OSError as error:
            yield f"WALDUR_API_TOKEN_FILE: cannot read {source}: {error.strerror}"
        except ValueError:
            yield f"WALDUR_API_TOKEN_FILE: {source} holds no token; expected one line of ASCII"
    elif not is_given:
        yield "WALDUR_API_TOKEN is not set; expected the token of a service provider's account"


def _name_mistakes(values: Mapping[str, Any]) -> Iterator[str]:
    prefix = values.get("SLURM_ALLOCATION_PREFIX")
    longest = values.get("SLURM_ALLOCATION_NAME_MAX_LEN")
    if prefix is not None and longest is not None and longest < len(prefix) + 8:
        yield (
            f"SLURM_ALLOCATION_NAME_MAX_LEN: found {longest}, expected at least {len(prefix) + 8}:"
            f" the prefix {prefix!r} and 8 characters that tell allocations apart"
        )


def _limit_mistakes(values: Mapping[str, Any]) -> Iterator[str]:
    if values.get("PULL_ENFORCE_LIMITS") and values.get("PUSH_LIMITS") is LimitsReported.REPORTED:
        yield (
            "PULL_ENFORCE_LIMITS=true and PUSH_LIMITS=true (its default) would each undo the"
            " other's work; expected PUSH_LIMITS=report-only for both services"
        )
