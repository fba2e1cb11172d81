"""Make the one file that root installs: a zip that an isolated interpreter of root's runs.

    /usr/bin/python3 -m waldur_slurm.hand.pack /usr/libexec/slurm-gateway/hand

It holds each module compiled beside its source: compiling them anew would take every act longer
than anything else. Another version of Python takes the sources. The same tree makes the same bytes.
"""

import argparse
import io
import py_compile
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from waldur_slurm.hand import place

HERE = Path(__file__).parent
INTERPRETER = "/usr/bin/python3"
LEFT_OUT = ("pack.py",)
DOOR = """import os
import sys

from waldur_slurm.hand.__main__ import main

sys.exit(main(sys.argv[1:], os.environ))
"""


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="hand-pack", description="make the hand's one file")
    parser.add_argument("file", type=Path, help="what is written, executable for everybody")
    parser.add_argument("--conf", default=place.CONF, help="where its hand.conf lies")
    parser.add_argument("--interpreter", default=INTERPRETER, help="what runs it, root's own")
    chosen = parser.parse_args(argv)
    pack(chosen.file, conf=chosen.conf, interpreter=chosen.interpreter)
    return 0


def pack(file: Path, *, conf: str = place.CONF, interpreter: str = INTERPRETER) -> None:
    """Write the file whole: whoever runs the old one meanwhile runs the old one."""
    unfinished = file.with_name(f"{file.name}.unfinished")
    unfinished.write_bytes(packed(conf, interpreter))
    unfinished.chmod(0o755)
    unfinished.replace(file)


def packed(conf: str, interpreter: str) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for name, source in _modules(conf):
            archive.writestr(zipfile.ZipInfo(f"{name}.pyc"), _compiled(name, source))
            archive.writestr(zipfile.ZipInfo(f"{name}.py"), source)
    return f"#!{interpreter} -IS\n".encode() + written.getvalue()


def _modules(conf: str) -> Iterator[tuple[str, str]]:
    yield "__main__", DOOR
    yield "waldur_slurm/__init__", ""
    for path in sorted(HERE.glob("*.py")):
        if path.name == "place.py":
            yield "waldur_slurm/hand/place", f"CONF = {conf!r}\n"
        elif path.name not in LEFT_OUT:
            yield f"waldur_slurm/hand/{path.stem}", path.read_text(encoding="utf-8")


def _compiled(name: str, source: str) -> bytes:
    """Compile a module so that it is never compared with its source: both lie in one file."""
    with tempfile.TemporaryDirectory() as directory:
        written, compiled = Path(directory, "module.py"), Path(directory, "module.pyc")
        written.write_text(source, encoding="utf-8")
        py_compile.compile(
            str(written),
            str(compiled),
            dfile=f"{name}.py",
            doraise=True,
            optimize=2,
            invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
        )
        return compiled.read_bytes()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
