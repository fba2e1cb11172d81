"""What a unit of systemd lets its service write: as whom, and where. Pure, over `systemctl show`.

It is the unit of these settings only if it reads the env file that was named: other offerings may
have units of their own.
"""

from dataclasses import dataclass
from pathlib import Path

PROPERTIES = (
    "LoadState",
    "EnvironmentFiles",
    "User",
    "ProtectSystem",
    "ProtectHome",
    "ReadWritePaths",
    "StateDirectory",
    "LogsDirectory",
    "CapabilityBoundingSet",
)

ROOT = "root"
_READ_ONLY = {
    "yes": ("/usr", "/boot", "/efi"),
    "full": ("/usr", "/boot", "/efi", "/etc"),
    "strict": ("/",),
}
_ENV_FILES = ("EnvironmentFiles", "EnvironmentFile")  # the second as old systemd prints it
_HOMES = ("/home", "/root", "/run/user")


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    name: str
    user: str = ROOT
    ignores_modes: bool = True
    """Whether it is root, and has the right to write in spite of a file's mode."""
    read_only: tuple[Path, ...] = ()
    hidden: tuple[Path, ...] = ()
    """What it does not even see; no path below can be opened again."""
    writable: tuple[Path, ...] = ()
    made: tuple[Path, ...] = ()
    """Directories that systemd makes, and gives to the unit's user, before the service starts."""

    def may_write_below(self, path: Path) -> bool:
        """Whether its sandbox leaves the place open; of modes and owners it says nothing."""
        if self.hides(path):
            return False
        return _is_below(path, (*self.writable, *self.made)) or not _is_below(path, self.read_only)

    def hides(self, path: Path) -> bool:
        return _is_below(path, self.hidden)

    def makes(self, path: Path) -> tuple[Path, ...]:
        """Those directories of systemd's making in which the path lies."""
        return tuple(each for each in self.made if path.is_relative_to(each))


def parse_unit(name: str, text: str, env_file: Path) -> Unit | None:
    """Read the answer of `systemctl show`; None where that unit is not the settings' own."""
    lines = [line.partition("=")[::2] for line in text.splitlines()]
    told = dict(lines)
    read = {value.partition(" (ignore_errors=")[0] for key, value in lines if key in _ENV_FILES}
    if told.get("LoadState") != "loaded" or str(env_file) not in read:
        return None
    user = told.get("User") or ROOT
    homes = told.get("ProtectHome", "no")
    read_only = _READ_ONLY.get(told.get("ProtectSystem", "no"), ())
    return Unit(
        name=name,
        user=user,
        ignores_modes=user == ROOT and _overrides(told.get("CapabilityBoundingSet")),
        read_only=_paths(*read_only, *(_HOMES if homes == "read-only" else ())),
        hidden=_paths(*(_HOMES if homes in ("yes", "tmpfs") else ())),
        writable=_paths(*(word.lstrip("-+") for word in told.get("ReadWritePaths", "").split())),
        made=_paths(
            *(f"/var/lib/{word}" for word in told.get("StateDirectory", "").split()),
            *(f"/var/log/{word}" for word in told.get("LogsDirectory", "").split()),
        ),
    )


def _overrides(capabilities: str | None) -> bool:
    """Old systemd prints a number, of which CAP_DAC_OVERRIDE is the second bit."""
    if capabilities is None:
        return True
    if capabilities.isdecimal():
        return bool(int(capabilities) & 2)
    return "cap_dac_override" in capabilities.split()


def _paths(*texts: str) -> tuple[Path, ...]:
    return tuple(map(Path, texts))


def _is_below(path: Path, places: tuple[Path, ...]) -> bool:
    return any(path.is_relative_to(place) for place in places)
