"""What is asked wrongly is refused in words of a type, and leaves nothing behind."""

import stat
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest

from tests.e2e.gateway.gateway import Answer
from tests.e2e.gateway.slurmer_site import APP, TOKEN, Slurmer, SlurmerSite
from tests.e2e.gateway.test_slurmer import special
from tests.fixtures_hand import ANN, BOB
from waldur_slurm.hand.requests import MOST_SCRIPT

JOBS = f"/api/v1/apps/{APP}/jobs"
LARGE = "x" * MOST_SCRIPT
NAMES = ("a\nb", "a\0b", "\x1b[31m", "--uid=0\n", "x" * 10_000)
USERS = ("", "root", "0", "1000", f"{ANN}\n", f" {ANN}", f"{ANN} {BOB}", "--uid=0", f"{ANN},{BOB}")
PATHS = (
    "..%2fup",
    "in/../../up",
    "%2fetc%2fowned",
    "a%00b",
    "link/owned",
    "x" * 300,
)


@pytest.fixture
def slurmer(slurmer_site: SlurmerSite) -> Iterator[Slurmer]:
    with slurmer_site.running() as started:
        yield started


@pytest.fixture
def native(slurmer: Slurmer) -> Slurmer:
    """The same gateway's own API."""
    return Slurmer(slurmer.program, slurmer.daemon, slurmer.port - 2)


def kind_of(answer: Answer) -> str:
    return str(answer.json["type"]).rpartition(":")[2]


def tree(place: Path) -> dict[str, bytes]:
    return {
        str(path): path.read_bytes() if path.is_file() and not path.is_symlink() else b""
        for path in place.rglob("*")
    }


@pytest.mark.parametrize("users", [(ANN, BOB), (ANN, ANN), (BOB, "root")])
def test_two_headers_that_name_a_user_name_nobody(
    slurmer: Slurmer, slurmer_site: SlurmerSite, users: tuple[str, str]
) -> None:
    named = [("X-Auth-Token", TOKEN), *(("User", user) for user in users)]
    body = b'{"command": "true", "account": "physics"}'

    answer = slurmer.ask_with("POST", f"/apps/{APP}/jobs", body, named)

    assert (answer.status, answer.body) == (400, b"Bad Request\n")
    assert [*slurmer_site.directory("").iterdir()] == []


def test_names_and_scripts_that_cannot_be_are_refused_and_leave_nothing(
    native: Slurmer, slurmer_site: SlurmerSite
) -> None:
    before = slurmer_site.acting.jobs_marked("")
    true = {"command": "true"}
    asked: list[tuple[str, dict[str, str], str]] = [
        *((ANN, {**true, "name": name}, "") for name in NAMES),
        *((ANN, true, name) for name in NAMES),
        *((user, true, "") for user in USERS),
        (ANN, {"command": LARGE}, ""),
    ]
    for user, parameters, name in asked:
        body = {"user": user, "parameters": parameters, "name": name, "start": True}
        answer = native.send("POST", JOBS, body)
        kinds = ("wrong-ask", "denied", "refused", "too-large")
        assert kind_of(answer) in kinds, (user, str(parameters)[:99], name[:99], answer)

    assert [*slurmer_site.directory("").iterdir()] == []
    assert slurmer_site.acting.jobs_marked("") == before


def packed(*members: zipfile.ZipInfo | tuple[str, bytes]) -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("good", b"1")
        for member in members:
            name, content = member if isinstance(member, tuple) else (member, b"/etc/passwd")
            made.writestr(name, content)
    return buffer.getvalue()


UNSOUND = {
    "up": packed(("../up", b"2")),
    "absolute": packed(("/etc/owned", b"2")),
    "link": packed(special(stat.S_IFLNK | 0o777)),
    "device": packed(special(stat.S_IFBLK | 0o666)),
    "bomb": packed(("bomb", bytes(64 * 1024**2))),
    "duplicate": packed(("twice", b"1"), ("Twice", b"2")).replace(b"Twice", b"twice"),
    "through a link": packed(("link/owned", b"2")),
    "cut off": packed(("more", b"2" * 1000))[:-30],
    "no archive": b"this is no zip",
}


def test_files_and_archives_that_are_not_sound_leave_a_job_as_it_was(
    native: Slurmer, slurmer_site: SlurmerSite
) -> None:
    made = native.send("POST", JOBS, {"user": ANN, "parameters": {"command": "true"}})
    job, place = f"{JOBS}/{made.json['id']}", slurmer_site.directory(made.json["id"])
    (place / "link").symlink_to(slurmer_site.acting.hand.directory)
    before, others = tree(place), tree(slurmer_site.acting.hand.directory / "home")

    for path in PATHS:
        answer = native.send("PUT", f"{job}/files/{path}?user={ANN}", b"x")
        assert 400 <= answer.status < 500, (path, answer)
        assert kind_of(answer) != "failed", (path, answer)
    for what, content in UNSOUND.items():
        answer = native.send(
            "POST", f"{job}/archive?user={ANN}", content, Content_Type="application/zip"
        )
        assert kind_of(answer) in ("refused", "wrong-ask", "denied"), (what, answer)

    assert tree(place) == before
    assert tree(slurmer_site.acting.hand.directory / "home") == others
