"""What `docs/gateway-compatibility.md` says of slurm-proxy, typed to the letter.

What a test changes is what lets it run beside others: the port, users and their homes, and where a
package comes from.
"""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.slurm import Cluster
from sandbox.slurm.ports import claim_ports
from sandbox.wheels import ensure_wheels
from tests.e2e.gateway.acting import ActingSite
from tests.e2e.gateway.proxy_recorded import exchanges
from tests.e2e.gateway.proxy_site import Office, ProxySite, office
from tests.e2e.program import eventually
from tests.fixtures_hand import ANN, HandSite
from tests.fixtures_slurm import NewCluster
from tests.page import read_blocks
from tests.places import PROJECT, RECORDED
from waldur_slurm.gateway.settings import Settings
from waldur_slurm.gateway.settings.acting import Executor

PAGE = PROJECT / "docs" / "gateway-compatibility.md"
FIRST_EXAMPLE = RECORDED / "gateway" / "proxy-first-example.txt"
DOCUMENTED = (
    "virtualenv --python=python3.9 .venv",
    "source .venv/bin/activate",
    "pip install -r requirements.txt",
    "python run.py",
    "cd docker",
    "docker image build -t slurm-proxy --build-context parent=../ .. -f Dockerfile",
    "CONTAINER_ID=$(docker run -p 5001:5001 --mount"
    " type=bind,source=/Users/areynolds,target=/Users/areynolds,readonly -d slurm-proxy)",
    "docker logs --follow ${CONTAINER_ID}",
    "docker compose -f docker-compose-slurm-proxy.yml build",
    "docker compose -f docker-compose-slurm-proxy.yml up",
    "docker compose -f docker-compose-slurm-proxy.yml down",
)
"""All that its document has people type, but for the `wget`, which is recorded."""


def block(section: str, language: str = "bash", number: int = 0) -> tuple[str, ...]:
    kind = (section, language)
    found = [each for each in read_blocks(PAGE) if (each.section, each.language) == kind]
    return tuple(found[number].lines)


@pytest.fixture(scope="module")
def office_lab(new_slurm_cluster: NewCluster, slurm_users: tuple[str, ...]) -> Cluster:
    return office(new_slurm_cluster, {})


@pytest.fixture
def proxy_site(office_lab: Cluster, hand_site: HandSite, tmp_path: Path) -> Iterator[ProxySite]:
    acting = ActingSite.make(office_lab, hand_site)
    yield ProxySite(acting, tmp_path)
    office_lab.must("scancel", f"--user={ANN}")
    acting.close()


def rows() -> list[list[str]]:
    text = PAGE.read_text(encoding="utf-8")
    section = text.partition("### What the document of slurm-proxy tells people to type\n")[2]
    table = section.partition("\n#")[0].partition("|---|---|---|\n")[2]
    return [row.strip("| ").split(" | ") for row in table.splitlines() if row.startswith("|")]


def test_each_line_that_its_document_has_people_type_has_its_row() -> None:
    (hello,) = (row for row in rows() if row[0].startswith("`wget"))
    shown = [row[0].strip("`") for row in rows()]

    assert [line for line in DOCUMENTED if line not in shown] == []
    assert hello[1] == "the same line"


def test_what_the_table_of_slurm_proxy_says_to_type_now_is_typed() -> None:
    sections = ("slurm-proxy by hand, to try", "slurm-proxy in a container")
    typed = {
        line.removesuffix(" &")
        for each in read_blocks(PAGE)
        if each.section in sections
        for line in each.lines
    }
    said = {row[1].strip("`") for row in rows()} - {"nothing", "the same line"}

    assert said - typed == set()


def hello() -> str:
    (line,) = block('Its "Hello, world!"')
    return line


def test_the_hello_world_of_the_page_is_the_one_of_its_document() -> None:
    """The recorded body is the document's, for another user."""
    recorded = next(each for each in exchanges() if each.number == 4).request["body"]
    ours = hello().replace("areynolds", "alice").replace("@gmail.com", "@example.com")

    assert ours == (
        f"wget -O- --post-data='{recorded}' --header=\"Content-Type:application/json\""
        " 127.0.0.1:5001/submit/"
    )


def typed_by(user: str, line: str, place: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*("setpriv", f"--reuid={user}", "--regid=nogroup", "--init-groups"), "bash", "-c", line],
        env={"PATH": os.defpath},
        cwd=place,
        capture_output=True,
        text=True,
        check=False,
    )


def settings_of_the_page(number: int) -> dict[str, str]:
    lines = (line.split("=", 1) for line in block_of_lines(number))
    return {name: value.strip('"') for name, value in lines}


def block_of_lines(number: int) -> tuple[str, ...]:
    if number:
        return block("Lines that keep its clients going", language="ini", number=1)
    return block("Lines that keep its clients going", language="ini")


def here(gateway: Office, site: ProxySite, line: str) -> str:
    """The line with this site's user, home and port."""
    home = str(site.acting.hand.home(ANN))
    line = line.replace("/home/areynolds", home).replace("areynolds", ANN)
    return line.replace("127.0.0.1:5001", f"127.0.0.1:{gateway.port}")


def test_the_hello_world_runs_writes_its_output_and_sends_its_mail_on_a_fresh_site(
    proxy_site: ProxySite,
) -> None:
    """By the document's reading, with the page's own line for users of this machine."""
    told = {**settings_of_the_page(0), "GATEWAY_PROXY_READING": "document"}
    assert told.pop("GATEWAY_EXECUTOR") == "sudo", "the way that gateways act here"
    home = proxy_site.acting.hand.home(ANN)
    with proxy_site.running(hands_on=False, **told) as gateway:
        said = typed_by(ANN, here(gateway, proxy_site, hello()), Path("/"))
        assert said.returncode == 0, said.stderr
        answer = json.loads(said.stdout)
        number = answer["slurm_job_id"]
        output = home / "slurm-proxy-test/output/slurm-proxy-test.generic.output.txt"
        eventually(lambda: output.exists() and output.read_text() != "", "it wrote its output")
        eventually(lambda: gateway.relay.taken != [], "its mail was sent", 90)
        again = typed_by(ANN, here(gateway, proxy_site, hello()), Path("/"))
        (message,) = gateway.relay.taken

    assert answer["uuid"] == "123e4567-e89b-12d3-a456-426614174000"
    expected = rf"hello, world! \(sent job {number} to {ANN} at [^`]+\)\n"
    assert re.fullmatch(expected, output.read_text())
    assert output.owner() == ANN
    assert {each.name for each in (home / "slurm-proxy-test").iterdir()} == {
        *("input", "output", "error"),
    }
    assert message["To"] == "username@gmail.com"
    assert message["Subject"].startswith("hello-world test job finished!")
    assert str(message.get_content()).startswith("hello!")
    assert again.returncode != 0, "it is handed in once"


def test_the_lines_for_a_host_without_slurm_are_taken() -> None:
    """A gateway on such a host is run in `test_ssh_reading.py`."""
    lines = block("slurm-proxy on a host or in a container without Slurm", language="ini")
    told = Settings.from_environ(dict(line.split("=", 1) for line in lines)).acting

    assert told.executor is Executor.SSH
    assert (told.ssh_host, told.ssh_user) == ("login.example.org", "portal")


def test_what_the_page_lets_in_by_address_lets_in_as_whom_it_says() -> None:
    told = Settings.from_environ(settings_of_the_page(1))

    (network,) = told.trusted_networks
    assert str(network.run_as) == "@science"


def test_the_first_example_of_its_document_is_refused_with_where_it_is_no_json(
    proxy_site: ProxySite,
) -> None:
    with proxy_site.running(hands_on=False) as gateway:
        answer = gateway.send("POST", "/submit/", FIRST_EXAMPLE.read_bytes())

    assert answer.status == 400
    assert answer.json == {
        "error": "Invalid JSON format: line 8, column 9: a comma stands before }; take it out"
    }


DUMP = {
    "_id": {"$oid": "6b0cd014a77506345f91ede4"},
    "slurm_username": ANN,
    "slurm_job_id": 1,
    "slurm_job_state": "COMPLETED",
    "task": {"uuid": "ec253d0e-c0e4-4349-b924-491ef5add41f", "username": ANN},
    "created_at": {"$date": "2026-11-30T01:23:32.648Z"},
    "updated_at": {"$date": "2026-11-30T01:24:00Z"},
}


def test_its_monitors_are_taken_over_once_and_shown_as_they_were(
    proxy_site: ProxySite, tmp_path: Path
) -> None:
    """There is no MongoDB here: a stand-in for its tool writes what it would."""
    export, take_over = block("Its monitors, once")
    tools = proxy_site.acting.place / "mongo"
    tools.mkdir()
    (tools / "mongoexport").write_text(f"#!/bin/sh\necho '{json.dumps(DUMP)}' >${{3#--out=}}\n")
    (tools / "mongoexport").chmod(0o755)
    done = subprocess.run(
        ["/bin/sh", "-ec", export], env={"PATH": f"{tools}:{os.defpath}"}, cwd=tools, check=False
    )
    assert done.returncode == 0
    words = take_over.replace("mongodump.json", str(tools / "mongodump.json")).split()[1:]

    program = proxy_site.acting.program()
    first, again = (program.run(*words) for _ in range(2))
    assert "1 monitors taken over, of which 0 are watched on; 0 were there" in first.stdout
    assert "0 monitors taken over, of which 0 are watched on; 1 were there" in again.stdout
    with proxy_site.running(hands_on=False) as gateway:
        answer = gateway.send("GET", f"/monitor/task_uuid/{DUMP['task']['uuid']}")  # type: ignore[index]  # it is one
    assert answer.status == 200
    assert answer.json["monitor"]["slurm_job_state"] == "COMPLETED"
    assert answer.json["monitor"]["created_at"] == "2026-11-30T01:23:32"
    assert gateway.relay.taken == []


def test_the_lines_by_hand_do_what_they_say(office_lab: Cluster, tmp_path: Path) -> None:
    claimed = claim_ports(2)
    (tmp_path / ".env").write_text(f"FLASK_APP_PORT={claimed.first}\n")
    lines = "\n".join(block("slurm-proxy by hand, to try"))
    with claimed.claim:
        said = subprocess.run(
            ["/bin/bash", "-c", f"set -em\n{lines.replace('5001', str(claimed.first))}"],
            env={
                **office_lab.environ,
                "PATH": f"/usr/bin:/bin:{office_lab.environ.get('PATH', '')}",
                "HOME": str(tmp_path),
                "PIP_NO_INDEX": "1",
                "PIP_FIND_LINKS": str(ensure_wheels()),
                "GATEWAY_LISTEN": f"127.0.0.1:{claimed.first}=proxy",
            },
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    assert said.returncode == 0, said.stderr
    assert said.stdout.endswith("pong")
    assert (tmp_path / "slurm-proxy").is_dir()
