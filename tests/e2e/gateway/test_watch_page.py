"""What `docs/gateway.md` gives to type for watching jobs, typed on a site of one's own."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.slurm import Cluster
from tests.e2e.gateway.watching import EPILOG, USER, WatchSite, watch_site
from tests.e2e.program import fast_tools
from tests.fixtures_slurm import open_directory
from tests.page import read_blocks
from tests.places import PROJECT
from waldur_slurm.variables.env_file import read_env_file

SECTION = "Watching jobs"
WATCH, SECRET, EPILOG_LINES = (
    each.lines for each in read_blocks(PROJECT / "docs" / "gateway.md") if each.section == SECTION
)


@pytest.fixture
def place(slurm_users: tuple[str, ...]) -> Iterator[Path]:
    """Stands for the root of a host: what lies below /etc on the page lies below it here."""
    directory = open_directory()
    (directory / "etc" / "slurm-gateway").mkdir(parents=True)
    (directory / "etc" / "slurm").mkdir()
    yield directory
    shutil.rmtree(directory)


@pytest.fixture
def site(slurm_cluster: Cluster, tmp_path: Path) -> Iterator[WatchSite]:
    tools = fast_tools(tmp_path / "bin", slurm_cluster.environ)
    with watch_site(slurm_cluster, tools, tmp_path) as made:
        yield made


def typed(lines: tuple[str, ...], place: Path, **replaced: str) -> subprocess.CompletedProcess[str]:
    """Type a block from a copy of the project, below `place` and as `USER` for slurm's own user."""
    text = "\n".join(lines).replace("/etc/slurm", f"{place}/etc/slurm")
    text = text.replace("-o slurm ", f"-o {USER} ").replace("sudo -u slurm ", f"sudo -u {USER} ")
    for old, new in replaced.items():
        assert old in text
        text = text.replace(old, new)
    return subprocess.run(
        ["/bin/bash", "-ec", text],
        cwd=place,
        env={"PATH": os.defpath},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def copy_epilog(place: Path) -> None:
    """Let it look for its settings where this host has them."""
    copy = place / EPILOG.relative_to(PROJECT)
    copy.parent.mkdir(parents=True)
    copy.write_text(EPILOG.read_text().replace("/etc/slurm", f"{place}/etc/slurm"))


def test_an_epilog_that_is_set_up_as_the_page_says_tells_the_gateway(
    site: WatchSite, place: Path, as_root: None
) -> None:
    copy_epilog(place)
    made = typed(SECRET, place)
    assert made.returncode == 0, made.stderr
    env_file = place / "etc" / "slurm-gateway" / "slurm-gateway.env"
    secret = read_env_file(env_file)["GATEWAY_HOOK_SECRET"]
    assert env_file.stat().st_mode & 0o077 == 0

    with site.running(GATEWAY_HOOK_SECRET=secret) as gateway:
        here = {"https://gateway.example.org": f"http://127.0.0.1:{gateway.port}"}
        told = typed(EPILOG_LINES, place, **here, **{"THE SAME": secret})
        wrong = typed(EPILOG_LINES, place, **here, **{"THE SAME": "another" * 6})

    assert (told.returncode, told.stdout, told.stderr) == (0, "", "")
    assert "slurm-gateway-epilog: " in wrong.stderr
    assert wrong.stderr.rstrip().endswith("did not take it")
    hook = place / "etc" / "slurm-gateway" / "hook.conf"
    assert (hook.stat().st_mode & 0o777, hook.owner()) == (0o600, USER)


def test_the_line_that_watches_a_job_is_taken(site: WatchSite, place: Path) -> None:
    job = site.lab.submit(None, "root", "sleep 60", "--hold", "--job-name=watch-page")
    try:
        with site.running() as gateway:
            here = {"https://gateway.example.org": f"http://127.0.0.1:{gateway.port}"}
            header = '-H "Authorization: Bearer $GATEWAY_TOKEN" '
            made = typed(WATCH, place, **here, **{'"4711"': f'"{job}"', header: "--silent "})
            assert re.search(r'"id":"\w+"', made.stdout), made.stdout + made.stderr
    finally:
        site.lab.must("scancel", str(job))
