"""An env file as systemd reads it; values are cleaned where they are read."""

import re
from pathlib import Path

from waldur_slurm.errors import SettingsError

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_EXPORT = re.compile(r"export\s+")
_COMMENT = ("#", ";")


def read_env_file(
    path: Path, told_by: str = "--env-file", *, is_a_shells: bool = False
) -> dict[str, str]:
    """Read `NAME=value` lines, or raise `SettingsError` with every line that is none.

    Before a name in a file that a shell reads too `export` may stand.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise SettingsError([f"{told_by}: cannot read {path}: {reason}"]) from error
    found, mistakes = {}, []
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text or text.startswith(_COMMENT):
            continue
        name, is_pair, value = text.partition("=")
        name = _EXPORT.sub("", name.strip()) if is_a_shells else name.strip()
        if not is_pair or _VARIABLE.fullmatch(name) is None or "\0" in value:
            mistakes.append(f"{told_by}: {path}:{number}: expected NAME=value")
        found[name] = value
    if mistakes:
        raise SettingsError(mistakes)
    return found
