"""What is taken over from how apt is set up on this machine."""

import shutil
from pathlib import Path

import pytest

from sandbox.docker.packages import archive_among, mirror, proxies

pytestmark = pytest.mark.skipif(shutil.which("apt-config") is None, reason="not a Debian")


@pytest.fixture
def apt_conf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that apt reads after its own configuration."""
    file = tmp_path / "apt.conf"
    file.touch()
    monkeypatch.setenv("APT_CONFIG", str(file))
    return file


def test_apts_proxies_are_taken_over_where_it_has_some(apt_conf: Path) -> None:
    apt_conf.write_text(
        'Acquire::http::Proxy "http://proxy.example:3128";\n'
        'Acquire::https::Proxy "http://proxy.example:3129";\n'
    )
    assert proxies() == {
        "http_proxy": "http://proxy.example:3128",
        "https_proxy": "http://proxy.example:3129",
    }


def test_a_direct_connection_is_no_proxy(apt_conf: Path) -> None:
    apt_conf.write_text('Acquire::http::Proxy "DIRECT";\nAcquire::https::Proxy "DIRECT";\n')
    assert proxies() == {}


def test_the_mirror_is_the_public_one_where_apt_knows_none(apt_conf: Path, tmp_path: Path) -> None:
    apt_conf.write_text(
        f'Dir::Etc::sourcelist "{tmp_path}/none";\nDir::Etc::sourceparts "{tmp_path}/none";\n'
    )
    assert mirror() == "http://deb.debian.org/debian"


@pytest.mark.parametrize(
    ("sources", "archive"),
    [
        ("Debian http://mirror.example/debian/\n", "http://mirror.example/debian"),
        (
            "Debian-Security http://a.example/s/\nDebian https://b.example/d/\n",
            "https://b.example/d",
        ),
        ("Ubuntu http://mirror.example/ubuntu/\n", None),
        ("Debian file:/srv/debian/\nDebian cdrom://disc\n", None),
        ("", None),
    ],
)
def test_the_archive_is_debians_own_and_reached_by_http(sources: str, archive: str | None) -> None:
    assert archive_among(sources) == archive
