"""Where managed jobs lie: `applications/APP/jobs/JOB`, and how far others come in there.

Jobs' directories are their users', made as them: so users pass through all that lies above, and may
make names in `jobs/` as in /tmp. Whatever else lies there is the gateway's alone.
"""

import os
import stat
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

from waldur_slurm.errors import StateError
from waldur_slurm.gateway.apps.parameters import BadTemplate
from waldur_slurm.gateway.apps.template import LONGEST, NAME, Template, is_of_go, parse_template
from waldur_slurm.state import write_durably

PASSED = 0o711
SHARED = 0o1733
"""Everybody makes names in it and nobody lists them; each is its maker's to remove."""

OWN = 0o700
SUFFIX = ".j2"
STOCK = "batch"


class Places:
    """Below `root`, which the gateway owns. `templates` is what each new app gets copies of."""

    def __init__(self, root: Path, templates: Path | None = None) -> None:
        self.root = root
        self._templates = templates

    def directory(self, app_id: str, job_id: str) -> str:
        return str(self._app(app_id) / "jobs" / job_id)

    def prepare(self) -> None:
        """Let users pass through the root; what only it kept from them is kept from them still."""
        try:
            self.root.mkdir(mode=OWN, parents=True, exist_ok=True)
            found = self.root.stat()
            if found.st_uid == os.geteuid() and not found.st_mode & stat.S_IXOTH:
                for entry in self.root.iterdir():
                    _close(entry)
                self.root.chmod(PASSED)
            _make(self.root / "applications", PASSED)
        except OSError as error:
            raise StateError(f"cannot use the apps' directory {self.root}: {error}") from error

    def closed_above(self) -> Path | None:
        """Find the directory that users cannot pass on their way to the jobs."""
        for each in reversed((self.root, *self.root.absolute().parents)):
            if not each.stat().st_mode & stat.S_IXOTH:
                return each
        return None

    def ensure(self, app_id: str) -> None:
        """Make an app's directories; templates that are there already stay as they are."""
        app = self._app(app_id)
        try:
            _make(app, PASSED)
            _make(app / "jobs", SHARED)
            _make(app / "templates", OWN)
            for source in self._sources():
                target = app / "templates" / source.name
                if not target.exists():
                    write_durably(target, source.read_text(encoding="utf-8"))
        except (OSError, UnicodeError) as error:
            raise StateError(f"cannot make the directories of app {app_id}: {error}") from error

    def unknown_templates(self) -> Iterator[Path]:
        """Yield templates in the language of the first original, which are not understood here."""
        if self._templates is None or not self._templates.is_dir():
            return
        for path in sorted(self._templates.iterdir()):
            if path.is_file() and path.suffix != SUFFIX and is_of_go(_text(path)):
                yield path

    def read_template(self, app_id: str, name: str) -> Template | None:
        """Return one; None where there is none. The stock one is there unless it was replaced."""
        if NAME.fullmatch(name) is None:
            return None
        path = self._template(app_id, name)
        try:
            if path.stat().st_size > 4 * LONGEST:
                raise BadTemplate(f"{path} is too large for a template")
            return parse_template(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return stock_template() if name == STOCK else None
        except (OSError, UnicodeError) as error:
            raise StateError(f"cannot read the template {path}: {error}") from error

    def template_names(self, app_id: str) -> tuple[str, ...]:
        folder = self._app(app_id) / "templates"
        try:
            own = {path.stem for path in folder.iterdir() if path.suffix == SUFFIX}
        except OSError as error:
            raise StateError(f"cannot list the templates in {folder}: {error}") from error
        return tuple(sorted(own | {STOCK}))

    def put_template(self, app_id: str, name: str, text: str) -> None:
        """Write one that was checked; raises `StateError`."""
        path = self._template(app_id, name)
        try:
            write_durably(path, text)
        except OSError as error:
            raise StateError(f"cannot write the template {path}: {error}") from error

    def _sources(self) -> Iterator[Path]:
        if self._templates is not None and self._templates.is_dir():
            yield from (
                path
                for path in sorted(self._templates.iterdir())
                if path.suffix == SUFFIX and path.is_file()
            )

    def _app(self, app_id: str) -> Path:
        return self.root / "applications" / app_id

    def _template(self, app_id: str, name: str) -> Path:
        return self._app(app_id) / "templates" / f"{name}{SUFFIX}"


def stock_template() -> Template:
    text = (files("waldur_slurm.gateway.apps") / f"{STOCK}{SUFFIX}").read_text(encoding="utf-8")
    return parse_template(text)


def _close(path: Path) -> None:
    """Take from others what only the directory above kept them from."""
    found = path.lstat()
    is_ours = found.st_uid == os.geteuid() and not stat.S_ISLNK(found.st_mode)
    if is_ours and path.name != "applications" and found.st_mode & 0o077:
        path.chmod(stat.S_IMODE(found.st_mode) & ~0o077)


def _make(path: Path, mode: int) -> None:
    """Make it with this very mode; one that is there, and ours, gets it."""
    path.mkdir(mode=OWN, exist_ok=True)
    found = path.stat()
    if found.st_uid == os.geteuid() and stat.S_IMODE(found.st_mode) != mode:
        path.chmod(mode)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")[:LONGEST]
    except OSError:
        return ""
