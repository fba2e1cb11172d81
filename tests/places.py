"""Where things lie in the project, whatever folder a test is in."""

from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
RECORDED = PROJECT / "tests" / "recorded"
