"""What a Slurm says of itself: its release and its configuration. Pure."""

import re
from collections.abc import Mapping

from waldur_slurm.errors import UnparsableOutput
from waldur_slurm.slurm.grammar.habits import VERSION
from waldur_slurm.slurm.grammar.rows import lines_of

_SETTING = re.compile(r"(\w+)\s*= ?(.*)", re.ASCII)
_NOTHING = ("", "none", "(null)")


def parse_version(text: str) -> str:
    match = VERSION.fullmatch(text.strip().rpartition("\n")[2])
    if match is None:
        raise UnparsableOutput(f"not a Slurm version: {text[:200]!r}")
    return match[1]


def named_things(value: str) -> tuple[str, ...]:
    """Read a list such as that of `PrivateData`, in its order; `none` is nothing."""
    return tuple(word for word in map(str.strip, value.split(",")) if word.lower() not in _NOTHING)


def parse_configuration(text: str) -> Mapping[str, str]:
    """Read `Name = value` lines; `(null)` is nothing."""
    matches = (_SETTING.fullmatch(line) for line in lines_of(text))
    found = {match[1]: match[2].strip().replace("(null)", "") for match in matches if match}
    if "ClusterName" not in found:
        raise UnparsableOutput(f"no ClusterName in Slurm's configuration: {text[:200]!r}")
    return found
