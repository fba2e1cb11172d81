"""An env file as systemd reads it; values are cleaned where they are read."""

import re
from pathlib import Path

from waldur_slurm.errors import SettingsError

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_COMMENT = ("#", ";")


def read_env_file(path: Path) -> dict[str, str]:
    """Read `NAME=value` lines, or raise `SettingsError` with every line that is none."""
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise SettingsError([f"--env-file: cannot read {path}: {reason}"]) from error
    found, mistakes = {}, []
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text or text.startswith(_COMMENT):
            continue
        name, is_pair, value = text.partition("=")
        if not is_pair or _VARIABLE.fullmatch(name.strip()) is None or "\0" in value:
            mistakes.append(f"--env-file: {path}:{number}: expected NAME=value")
        found[name.strip()] = value
    if mistakes:
        raise SettingsError(mistakes)
    return found
