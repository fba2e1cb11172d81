"""docs/gateway.md, and the way there from Slurm RestAPI, typed to the letter.

On a head node with systemd, nginx and a real Slurm.
"""

import ast
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.program import eventually
from tests.packaging.head_node.node import HeadNode
from tests.packaging.head_node.typist import Typed, Typist
from tests.page import Block, read_blocks
from tests.places import PROJECT
from waldur_slurm import __version__

PAGE = PROJECT / "docs" / "gateway.md"
CHANGE_OVER = PROJECT / "docs" / "gateway-compatibility.md"
BLOCKS = [each for page in (PAGE, CHANGE_OVER) for each in read_blocks(page) if each.language]
SOURCE = "/root/waldur-slurm-agent"
ENV_FILE = "/etc/slurm-gateway/slurm-gateway.env"
NAME = "gateway.example.org"
GATEWAY_TESTS = PROJECT / "tests" / "e2e" / "gateway"
ELSEWHERE = (*GATEWAY_TESTS.glob("test_*_page.py"), *GATEWAY_TESTS.glob("test_*_container.py"))
"""Where a hand acts, and in containers; whoever names a section there types all of it."""


def block(section: str, language: str = "bash", number: int = 0) -> Block:
    found = [each for each in BLOCKS if (each.section, each.language) == (section, language)]
    return found[number]


@pytest.fixture(scope="module")
def typist(docker_engine: str, wheels: Path) -> Iterator[Typist]:
    """Somebody on a head node of his own, with a user, a name and a certificate."""
    with HeadNode.start() as node:
        node.bring_wheels(wheels)
        node.sh(
            "useradd --create-home --shell /bin/bash ann\n"
            f"echo 127.0.0.1 {NAME} >>/etc/hosts\n"
            "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2"
            f" -subj /CN={NAME} -addext subjectAltName=DNS:{NAME}"
            " -keyout /etc/ssl/private/slurm-gateway.key -out /etc/ssl/certs/slurm-gateway.pem\n"
            "cp /etc/ssl/certs/slurm-gateway.pem /usr/local/share/ca-certificates/own.crt\n"
            "update-ca-certificates\n"
            "systemctl start nginx"
        )
        yield Typist(node)


@pytest.fixture(scope="module")
def served(typist: Typist) -> Typist:
    """The service runs, installed as the page says."""
    typist.types(block("Install"))
    typist.types(block("As a service"), directory=SOURCE)
    return typist


@pytest.fixture(scope="module")
def tokens(served: Typist) -> list[Typed]:
    return served.types(block("The first token"))


def settings_of(typist: Typist, section: str) -> None:
    """Put what the page shows of the env file into it, and see that it is taken."""
    lines = "\n".join(block(section, "ini").lines)
    typist.node.sh(f"cat >>{ENV_FILE} <<'END'\n{lines}\nEND")
    shown = typist.node.sh(f"slurm-gateway --env-file {ENV_FILE} settings --json")
    assert json.loads(shown)["warnings"] == []


def answer_of(typed: Typed) -> Any:
    return json.loads(typed.shown)


def test_it_is_seen_in_a_minute_by_any_user(typist: Typist) -> None:
    typed = typist.types(block("See it in a minute"), user="ann", directory="/home/ann")

    ready, queue, waiting, nodes = typed[5:9]
    assert "answers" in ready.shown
    assert answer_of(queue)["jobs"] == answer_of(waiting)["jobs"] == []
    assert answer_of(nodes)["nodes"]
    assert typist.node.says("ls -A /home/ann/slurm-gateway/state") != ""


def test_what_is_installed_says_its_release(served: Typist) -> None:
    (said,) = (typed.shown for typed in served.heard if typed.line == "slurm-gateway --version")

    assert said.split() == ["slurm-gateway", __version__]


def test_the_service_runs_as_its_own_user_and_will_run_after_a_reboot(served: Typist) -> None:
    node = served.node
    pid = node.says("systemctl show -P MainPID slurm-gateway")

    assert node.says(f"ps -o user= -p {pid} || stat -c %U /proc/{pid}") == "slurm-gateway"
    assert node.says("systemctl is-enabled slurm-gateway") == "enabled"
    assert node.says("stat -c '%U %a' /var/lib/slurm-gateway") == "slurm-gateway 700"
    assert "answers" in node.sh("curl -sS http://127.0.0.1:8040/readyz")


def test_a_user_of_slurm_for_private_data_can_be_made(served: Typist) -> None:
    served.types(block("As a service", number=1))

    told = served.node.sh("sacctmgr -nP show user slurm-gateway format=user,adminlevel")
    assert told.strip() == "slurm-gateway|Operator"


def test_the_first_token_opens_what_it_should_and_is_listed(
    served: Typist, tokens: list[Typed]
) -> None:
    _, made, listed = tokens
    token = made.shown.split()[-1]

    said = served.node.sh(
        f"curl -sS -H 'Authorization: Bearer {token}' http://127.0.0.1:8040/api/v1/me"
    )

    may = {each["scope"] for each in json.loads(said)["scopes"] if each["allowed"]}
    assert may == {"cluster:read", "jobs:read", "jobs:read:all", "history:read"}
    assert token.split("_")[1] in listed.shown
    assert token not in listed.shown
    assert served.node.says("curl -s -o /dev/null -w %{http_code} 127.0.0.1:8040/api/v1/jobs") in (
        "401",
        "403",
    )


def test_a_reload_keeps_it_running_and_a_killed_one_comes_back(served: Typist) -> None:
    node = served.node
    before = node.says("systemctl show -P MainPID slurm-gateway")
    node.sh("systemctl reload slurm-gateway")
    assert node.says("systemctl show -P MainPID slurm-gateway") == before

    node.sh(f"kill -9 {before}")

    eventually(
        lambda: node.says("curl -s http://127.0.0.1:8040/healthz") == "ok",
        "another process",
        timeout=40,
    )
    assert node.says("systemctl show -P MainPID slurm-gateway") != before


@pytest.fixture(scope="module")
def behind_nginx(served: Typist) -> list[Typed]:
    """The gateway has a name from now on, and nginx stands before it."""
    settings_of(served, "Behind nginx")
    return served.types(block("Behind nginx"), directory=SOURCE)


def test_nginx_stands_before_it(
    served: Typist, tokens: list[Typed], behind_nginx: list[Typed]
) -> None:
    token = tokens[1].shown.split()[-1]

    assert behind_nginx[-1].shown.split()[-1] == "ok"  # what curl says before is of a reload
    jobs = served.node.sh(f"curl -sS -H 'Authorization: Bearer {token}' https://{NAME}/api/v1/jobs")
    assert json.loads(jobs)["jobs"] == []


@pytest.mark.usefixtures("behind_nginx")
def test_a_token_signs_in_to_the_dashboard_behind_nginx(
    served: Typist, tokens: list[Typed]
) -> None:
    """The cookie then never goes over plain HTTP: nginx says that there is TLS."""
    token = tokens[1].shown.split()[-1]
    curl = f"curl -sS -H 'Origin: https://{NAME}' --cookie-jar jar --cookie jar"

    said = served.node.sh(
        f"{curl} --data-urlencode token={token} -w '%{{redirect_url}}\\n' https://{NAME}/ui/sign-in\n"
        f"{curl} https://{NAME}/ui/queue\n"
        "cat jar"
    )

    assert f"https://{NAME}/ui\n" in said
    assert "<h1>Queue</h1>" in said
    assert re.search(rf"#HttpOnly_{NAME}\tFALSE\t/\tTRUE\t\d+\t__Host-sgw_session", said)


def test_people_of_an_issuer_can_be_let_in(served: Typist) -> None:
    settings_of(served, "People, by OpenID Connect")
    settings_of(served, "The dashboard")


@pytest.mark.usefixtures("behind_nginx")  # where it is given the name that it is asked by
def test_tls_of_its_own_and_several_clusters_are_served(served: Typist) -> None:
    node = served.node
    node.sh(
        "cat /etc/ssl/certs/slurm-gateway.pem /etc/ssl/private/slurm-gateway.key"
        " >/etc/slurm-gateway/tls.pem\n"
        "cp -r /etc/slurm /etc/slurm-beta"
    )
    settings_of(served, "TLS of its own")
    assert served.types(block("TLS of its own"))[-1].shown.strip() == "ok"

    settings_of(served, "Several clusters")
    node.sh(f"sed -i '/TLS_CERTIFICATE/d; s/0.0.0.0:8443/127.0.0.1:8040/' {ENV_FILE}")
    said = served.types(block("Several clusters"))[-1].shown.split("\n")
    assert [line.split(":")[0] for line in said if line] == ["alpha", "beta"]


def test_whether_all_is_well_is_told(served: Typist) -> None:
    status, *_, ready = served.types(block("Is all well?"))

    assert "active (running)" in status.shown
    assert "answers" in ready.shown


def test_wrong_settings_are_not_tried_again_and_again(served: Typist) -> None:
    node = served.node
    node.sh(f"echo GATEWAY_MIN_UID=nobody >>{ENV_FILE}")
    node.says("systemctl restart slurm-gateway")

    assert node.says("systemctl show -P ExecMainStatus slurm-gateway") == "78"
    assert "GATEWAY_MIN_UID: found 'nobody'" in node.journal("slurm-gateway")
    node.sh(f"sed -i '/nobody/d' {ENV_FILE}\nsystemctl start slurm-gateway")


# From Slurm RestAPI

OLD = "/opt/slurm-rest-api"
OLD_CONFIG = """\
system:
  use_acct_db: True
  use_cors: True
  serve_index: True
  archive_usage_load: True
  archive_path: db.json
"""
OLD_ARCHIVE = {
    "_default": {
        "1": {
            "time": 1_500_000_000,
            "total_load": 5,
            "alloc_cpus": 1,
            "total_cpus": 2,
            "alloc_mem": 0,
            "total_mem": 10,
            "partitions": {},
        }
    }
}


@pytest.fixture(scope="module")
def old(served: Typist) -> Typist:
    """Slurm RestAPI was here: what it was told, and what it kept."""
    served.node.sh(
        f"install -d -m 0770 {OLD}\n"
        f"cat >{OLD}/config.yml <<'END'\n{OLD_CONFIG}END\n"
        f"echo '{json.dumps(OLD_ARCHIVE)}' >{OLD}/db.json\n"
        "install -o ann /opt/slurm-rest-api/config.yml /home/ann/\n"
        "echo 127.0.0.1 cluster.example.org >>/etc/hosts"
    )
    return served


def test_its_configuration_is_served_by_hand(old: Typist) -> None:
    typed = old.types(block("By hand, to try"), user="ann", directory="/home/ann")

    nodes, index = typed[3:5]
    assert '{"data":{"' in nodes.shown  # among what the log says of its start
    assert "<html" in index.shown.lower()


@pytest.fixture(scope="module")
def changed_over(old: Typist) -> Typist:
    """The unit of the old name serves the old routes to everybody, as it was."""
    old.types(block("As the service"), directory=SOURCE)
    old.node.sh(
        "sed -i 's/^#\\(GATEWAY_ANONYMOUS_SCOPES\\|GATEWAY_HOSTS\\)/\\1/'"
        " /etc/slurm-gateway/slurm-rest-api.env"
    )
    old.types(block("As the service", number=1))
    return old


def test_the_unit_of_that_name_serves_its_clients_behind_nginx(changed_over: Typist) -> None:
    node = changed_over.node
    assert node.says("systemctl is-enabled slurm-rest-api") == "enabled"

    def answers() -> bool:
        return '"data"' in node.says("curl -s http://cluster.example.org/nodes")

    eventually(answers, "the old route at the old port")
    assert '"data"' in node.sh("curl -sS 'http://cluster.example.org/history?jobid<=987654'")
    told = node.journal("slurm-rest-api")
    assert "config.not_honoured" in told
    assert "system.archive_path" in told


def test_its_archive_is_taken_over(changed_over: Typist) -> None:
    *_, taken = changed_over.types(block("As the service", number=2))

    assert "1 samples taken over" in taken.shown


def test_its_example_routes_answer_as_they_did(changed_over: Typist) -> None:
    typed = changed_over.types(block("Its example routes"))

    assert len(typed) == 17
    assert [each.line for each in typed if answer_of(each).keys() != {"data"}] == []


# That nothing is left out


def test_what_the_table_says_to_type_now_is_typed() -> None:
    table = CHANGE_OVER.read_text(encoding="utf-8").partition("| its document | now |")[2]
    rows = [row.split(" | ") for row in table.partition("\n\n")[0].splitlines()[2:]]
    said = {row[1] for row in rows} - {"nothing"}

    assert len(rows) > 15
    lines = {line.partition(" #")[0].removesuffix(" &") for each in BLOCKS for line in each.lines}
    assert {words.strip("`") for words in said} - lines == set()


def test_every_block_of_both_pages_is_typed_by_a_test() -> None:
    numbers: Counter[tuple[str, str]] = Counter()
    there = set()
    for each in BLOCKS:
        kind = (each.section, each.language)
        there.add((*kind, numbers[kind]))
        numbers[kind] += 1

    assert {each.language for each in BLOCKS} == {"bash", "ini", "python", "yaml"}
    assert there == set(asked_for())


def asked_for() -> Iterator[tuple[str, str, int]]:
    """Read the tests: each block that one of them asks for, by section, language and number."""
    named = {
        each.value
        for path in ELSEWHERE
        for each in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(each, ast.Constant)
    }
    numbers: Counter[tuple[str, str]] = Counter()
    for each in BLOCKS:
        kind = (each.section, each.language)
        if each.section in named:
            yield (*kind, numbers[kind])
        numbers[kind] += 1
    yield from asked_for_here()


def asked_for_here() -> Iterator[tuple[str, str, int]]:
    for call in ast.walk(ast.parse(Path(__file__).read_text("utf-8"))):
        match call:
            case ast.Call(
                func=ast.Name(id="block"), args=[ast.Constant(value=str(section))], keywords=more
            ):
                given = {
                    each.arg: each.value.value
                    for each in more
                    if isinstance(each.value, ast.Constant)
                }
                yield section, str(given.get("language", "bash")), int(str(given.get("number", 0)))
            case ast.Call(
                func=ast.Name(id="settings_of"), args=[_, ast.Constant(value=str(section))]
            ):
                yield section, "ini", 0
            case _:
                pass
