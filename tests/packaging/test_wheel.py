"""The wheel, built and installed as a site would, runs from an empty directory."""

import os
import re
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.fixtures_program import NewProgram
from tests.fixtures_waldur import StartWaldur
from tests.packaging.conftest import Built, run, succeed
from tests.places import PROJECT
from waldur_slurm import __version__


def clean(**more: str) -> dict[str, str]:
    return {"PATH": os.defpath, **more}


def test_the_wheel_holds_the_package_and_nothing_else(built: Built) -> None:
    tops = {name.split("/")[0] for name in zipfile.ZipFile(built.wheel).namelist()}

    assert tops == {"waldur_slurm", f"waldur_slurm_agent-{__version__}.dist-info"}


def test_the_wheel_holds_the_files_that_are_not_python(built: Built) -> None:
    names = set(zipfile.ZipFile(built.wheel).namelist())
    there = succeed("git", "ls-files", "waldur_slurm", cwd=PROJECT).split()

    assert {name for name in there if not name.endswith(".py")} <= names
    assert {"queries.sql", "layout.html", "uplot.js"} <= {name.rpartition("/")[2] for name in names}


def test_what_the_gateway_needs_is_an_extra_that_a_bare_install_does_without(
    built: Built, installed: Path
) -> None:
    told = zipfile.ZipFile(built.wheel).read(f"waldur_slurm_agent-{__version__}.dist-info/METADATA")
    asked = re.findall(rb"^Requires-Dist: ([\w-]+)\b[^\n]*extra == .gateway.", told, re.MULTILINE)
    there = succeed(
        installed / "python3",
        "-c",
        "from importlib.metadata import distributions as d; print(*{e.name for e in d()})",
    )

    extra = {name.decode().lower() for name in asked}
    assert {"starlette", "uvicorn", "httptools", "joserfc", "jinja2"} <= extra
    assert extra & {name.lower() for name in there.split()} == set()


@pytest.mark.parametrize("words", [[], ["token", "list"], ["check"], ["settings"]])
def test_a_gateway_without_its_extra_says_what_to_install(
    installed: Path, tmp_path: Path, words: list[str]
) -> None:
    done = run(installed / "slurm-gateway", *words, cwd=tmp_path, environ=clean())

    assert (done.returncode, done.stdout) == (1, "")
    (said,) = done.stderr.splitlines()
    assert "pip install 'waldur-slurm-agent[gateway]'" in said


def test_the_source_archive_holds_what_a_site_copies(built: Built) -> None:
    with tarfile.open(built.sdist) as archive:
        names = {name.split("/", 1)[-1] for name in archive.getnames()}

    assert {
        "LICENSE",
        "config-components.yaml",
        "configs/config-example.yml",
        "examples/gateway/docker-compose.yml",
        "examples/monitoring/gateway-dashboard.json",
        "systemd-conf/gateway/slurm-gateway-hand.socket",
        "systemd-conf/gateway/slurm-gateway-hand.sudoers",
        "docs/settings.md",
        "docs/gateway.md",
        "executor/Makefile",
        "executor/executor.c",
        "executor/executor.commands",
        "systemd-conf/gateway/sample-block-nginx.conf",
        "systemd-conf/gateway/slurm-gateway.env",
        "systemd-conf/gateway/slurm-gateway.service",
        "systemd-conf/service-pull/waldur-slurm-service-pull.service",
        "systemd-conf/service-push/waldur-slurm-service-push.env",
    } <= names


def test_both_ways_to_start_it_work_from_an_empty_directory(
    installed: Path, tmp_path: Path
) -> None:
    starts: list[list[str | Path]] = [
        [installed / "waldur-slurm-agent"],
        [installed / "python3", "-m", "waldur_slurm.main"],
    ]
    for start in starts:
        done = run(*start, "--version", cwd=tmp_path, environ=clean())
        assert (done.returncode, done.stdout) == (0, f"waldur-slurm-agent {__version__}\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("argv", [[], ["check"], ["--load-components"], ["plan"]])
def test_without_settings_it_says_all_that_is_missing_and_exits_with_78(
    installed: Path, tmp_path: Path, argv: list[str]
) -> None:
    done = run(installed / "waldur-slurm-agent", *argv, cwd=tmp_path, environ=clean())

    assert (done.returncode, done.stdout) == (78, "")
    *mistakes, hint = done.stderr.splitlines()
    assert {line.split()[1] for line in mistakes} == {
        "WALDUR_API_URL",
        "WALDUR_API_TOKEN",
        "WALDUR_SYNC_DIRECTION",
        "WALDUR_OFFERING_UUID",
    }
    assert "--env-file" in hint


def test_a_mistake_in_the_tres_file_points_to_a_page_that_is_installed(
    installed: Path, tmp_path: Path
) -> None:
    tres = tmp_path / "tres.yaml"
    tres.write_text("cpu: {limit: 5}\n")
    settings = clean(
        WALDUR_API_URL="http://127.0.0.1:9/api/",
        WALDUR_API_TOKEN="a-token-of-nobody",
        WALDUR_SYNC_DIRECTION="pull",
        WALDUR_OFFERING_UUID="0" * 32,
        SLURM_TRES_CONFIG_PATH=str(tres),
    )

    done = run(
        installed / "waldur-slurm-agent", "--load-components", cwd=tmp_path, environ=settings
    )

    assert done.returncode == 78
    page = Path(done.stderr.splitlines()[-1].rpartition(" ")[2])
    assert page.is_relative_to(installed.parent)
    assert "measured_unit" in page.read_text()


def test_check_and_load_components_work_from_an_empty_directory(
    installed: Path, new_program: NewProgram, start_waldur: StartWaldur, tmp_path: Path
) -> None:
    waldur = start_waldur("today")
    environ = dict(new_program(waldur).environ)
    nowhere = tmp_path / "nowhere"
    nowhere.mkdir()

    loaded = run(
        installed / "waldur-slurm-agent", "--load-components", cwd=nowhere, environ=environ
    )
    checked = run(installed / "waldur-slurm-agent", "check", cwd=nowhere, environ=environ)

    assert loaded.returncode == 0, loaded.stderr
    assert {"cpu", "mem", "gres/gpu"} <= {component["type"] for component in waldur.components()}
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert list(nowhere.iterdir()) == []
