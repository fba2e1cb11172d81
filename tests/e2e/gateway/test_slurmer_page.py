"""What `docs/gateway-compatibility.md` says of Slurmer, typed to the letter.

The set-up is typed with this test's own directories and user in the place of the machine's.
"""

import subprocess
from pathlib import Path

from tests.e2e.gateway.slurmer_site import APP, CONFIG, TOKEN, SlurmerSite
from tests.fixtures_hand import ANN, CALLER
from tests.page import read_blocks
from tests.places import PROJECT

PAGE = PROJECT / "docs" / "gateway-compatibility.md"


def block(section: str) -> tuple[str, ...]:
    (found,) = (each for each in read_blocks(PAGE) if each.language and each.section == section)
    return tuple(found.lines)


def typed(lines: tuple[str, ...], place: Path, **environ: str) -> str:
    said = subprocess.run(
        ["/bin/bash", "-e", "-c", "shopt -s expand_aliases\n" + "\n".join(lines)],
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **environ},
        cwd=place,
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 0, said.stderr
    return said.stdout


def test_the_lines_of_its_set_up_do_what_they_say(slurmer_site: SlurmerSite) -> None:
    """The user is there, and the alias is the program that the tests start."""
    slurmer_site.working.rmdir()
    program = slurmer_site.program(0, CONFIG)
    swapped = {
        "/var/lib/slurmer": str(slurmer_site.working),
        "/usr/local/etc/slurmer": str(slurmer_site.etc),
        "chown -R slurmer": f"chown -R {CALLER}",
    }
    first, *lines = block("Set up as its document says")
    assert first.startswith("useradd --system")
    text = "\n".join(lines)
    for old, new in swapped.items():
        text = text.replace(old, new)
    started, alias = text.partition("alias ")[::2]
    typed(tuple(started.splitlines()), slurmer_site.etc)
    assert slurmer_site.working.stat().st_mode & 0o777 == 0o700

    _, settings, token = alias.splitlines()
    assert "GATEWAY_APPS_DIR" in program.run(*settings.split()[1:]).stdout
    made = program.run(*token.split()[1:])
    assert made.stdout.startswith("sgw_")
    assert "apps:admin" in made.stderr


def test_the_lines_of_its_routes_do_what_they_say(
    slurmer_site: SlurmerSite, tmp_path: Path
) -> None:
    with slurmer_site.running() as slurmer:
        said = typed(
            block("Its routes"),
            tmp_path,
            ADMIN=slurmer_site.token("--scopes", "apps:admin"),
            APP=APP,
            TOKEN=TOKEN,
            USER=ANN,
            AT=f"http://127.0.0.1:{slurmer.port}",
        )
        jobs = slurmer.send("GET", f"/apps/{APP}/jobs").json

    assert '"name":"portal","access_token":"sgw_' in said
    assert "#SBATCH --job-name=hello" in said
    assert "\nhello\n" in said
    assert '"started"' in said
    assert jobs == []
