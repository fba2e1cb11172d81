"""How long a sink that is busy asks us to wait. Pure."""

import re


def asked_for_s(retry_after: str) -> float:
    """Read `Retry-After` in seconds; a date, or nonsense, asks for nothing."""
    return float(retry_after) if re.fullmatch(r"\d{1,9}", retry_after.strip(), re.ASCII) else 0.0
