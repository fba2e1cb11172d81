"""With each thing broken in turn, `check` names it, and doing what it advises mends it.

Every test breaks a site that is in order, reads the line that speaks of it, does what the line
says, and sees the line in order.
"""

import json
import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests

from sandbox.docker.cluster import ContainerCluster
from sandbox.slurm import Cluster, ClusterOptions
from sandbox.slurm.users import ensure_users
from sandbox.waldur import READY, Waldur
from tests.e2e.program import Program, fast_tools
from tests.fixtures_program import NewProgram
from tests.fixtures_slurm import NewCluster
from tests.places import PROJECT

TRES = (PROJECT / "config-components.yaml").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def cluster(new_slurm_cluster: NewCluster) -> Iterator[Cluster]:
    """One of its own, since its daemons are stopped."""
    with new_slurm_cluster(ClusterOptions(nodes=1)) as cluster:
        cluster.must("sacctmgr", "-i", "add", "account", "waldur")
        fast_tools(cluster.directory / "tools", cluster.environ)
        yield cluster


@pytest.fixture(scope="module")
def waldur(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Waldur]:
    """One whose offering is in step with the file, whatever a test does to it in between."""
    with Waldur.start(tmp_path_factory.mktemp("waldur"), "today", READY) as waldur:
        place = tmp_path_factory.mktemp("loading")
        [gpu] = [one["uuid"] for one in waldur.components() if one["type"] == "gpu"]
        waldur.change("components", gpu, type="gres/gpu")
        environ = {
            "WALDUR_API_URL": waldur.url,
            "WALDUR_API_TOKEN": waldur.tokens.provider,
            "WALDUR_OFFERING_UUID": waldur.offering_uuid,
            "WALDUR_SYNC_DIRECTION": "pull",
            "SLURM_TRES_CONFIG_PATH": str(PROJECT / "config-components.yaml"),
            "AGENT_STATE_DIR": str(place),
        }
        assert Program(environ, place).run("--load-components").returncode == 0
        yield waldur


@pytest.fixture
def tres_file(tmp_path: Path) -> Path:
    file = tmp_path / "components.yaml"
    file.write_text(TRES, encoding="utf-8")
    return file


@pytest.fixture
def program(
    new_program: NewProgram, cluster: Cluster, waldur: Waldur, tres_file: Path
) -> Iterator[Program]:
    """An agent in order, but for the token's way: nothing here speaks https."""
    program = new_program(
        waldur,
        SLURM_CONF=cluster.environ["SLURM_CONF"],
        SLURM_BIN_PATH=str(cluster.directory / "tools"),
        SLURM_DEFAULT_ACCOUNT="waldur",
        SLURM_TRES_CONFIG_PATH=str(tres_file),
    )
    yield program
    assert troubles(program) == {"settings"}, "the advice did not mend it"


def lines(program: Program) -> dict[str, dict[str, str]]:
    """The line of each subject; the worst one where there are several."""
    ranks = ("ok", "warning", "unknown", "failed")
    findings = program.data("check")["findings"]
    findings.sort(key=lambda finding: ranks.index(finding["verdict"]))
    return {finding["subject"]: finding for finding in findings}


def troubles(program: Program) -> set[str]:
    return {subject for subject, line in lines(program).items() if line["verdict"] != "ok"}


def advice(program: Program, subject: str, verdict: str) -> str:
    """What is to be done about the subject, which has to be the first that is not in order."""
    found = lines(program)
    bad = [name for name, line in found.items() if line["verdict"] == verdict]
    assert bad == [subject] if verdict == "failed" else subject in bad, found
    return found[subject]["advice"]


@pytest.mark.parametrize(
    ("daemon", "subject", "question"),
    [
        ("slurmctld", "controller", "scontrol ping"),
        ("munged", "controller", "scontrol ping"),
        ("slurmdbd", "accounting", "sacctmgr show cluster"),
        ("mariadbd", "accounting", "sacctmgr show cluster"),
    ],
)
def test_a_daemon_that_is_down(
    program: Program, cluster: Cluster, daemon: str, subject: str, question: str
) -> None:
    cluster.stop_daemon(daemon)

    said = advice(program, subject, "failed")

    service = {"munged": "munge", "mariadbd": "its database"}.get(daemon, daemon)
    assert service in said
    assert question in said
    assert is_silent(cluster, question)
    for name, state in cluster.states().items():
        if state != "up":
            cluster.start_daemon(name)
    assert not is_silent(cluster, question)


def is_silent(cluster: Cluster, question: str) -> bool:
    done = cluster.run(*question.split())
    return bool(done.code) or "DOWN" in done.out


def test_a_slurm_conf_that_makes_the_limits_mean_something_else(
    program: Program, cluster: Cluster
) -> None:
    spoilt = {
        "AccountingStorageEnforce": "associations",
        "PriorityDecayHalfLife": "7-0",
        "PriorityType": "priority/basic",
    }
    configure(cluster, spoilt)

    # What priority/basic does not heed is said only when it is replaced.
    for _ in range(2):
        said = " ".join(finding["advice"] for finding in program.data("check")["findings"])
        configure(cluster, dict(re.findall(r"in slurm.conf: (\w+)=(\S+)", said)))


def test_a_tres_that_slurm_does_not_account_for(
    program: Program, cluster: Cluster, tres_file: Path
) -> None:
    tres_file.write_text(TRES.replace("gres/gpu", "gres/fpga"))

    said = advice(program, "TRES in Slurm", "failed")

    assert "add it to AccountingStorageTRES in slurm.conf and restart slurmctld" in said
    configure(cluster, {"AccountingStorageTRES": "gres/gpu,gres/fpga", "GresTypes": "gpu,fpga"})
    assert "TRES in Slurm" not in troubles(program)
    tres_file.write_text(TRES)


def configure(cluster: Cluster, values: dict[str, str]) -> None:
    """Set lines of slurm.conf, as its administrator would."""
    conf = Path(cluster.environ["SLURM_CONF"])
    kept = [line for line in conf.read_text().splitlines() if line.partition("=")[0] not in values]
    conf.write_text("\n".join([*kept, *(f"{name}={value}" for name, value in values.items()), ""]))
    cluster.restart_daemon("slurmctld")


def test_a_default_account_that_carries_limits(program: Program, cluster: Cluster) -> None:
    limit = ("sacctmgr", "-i", "modify", "account", "waldur", "set")
    cluster.must(*limit, "grptresmins=cpu=5")

    assert "take them off" in advice(program, "default account", "warning")

    cluster.must(*limit, "grptresmins=cpu=-1")


def test_a_waldur_that_is_down(program: Program, waldur: Waldur) -> None:
    waldur.kill()

    assert waldur.url in advice(program, "Waldur", "failed")

    waldur.restart()


def test_a_token_without_the_rights(program: Program, waldur: Waldur) -> None:
    """A manager of the offering may do much, and not all that pull has to."""
    right = program.environ["WALDUR_API_TOKEN"]
    program.environ["WALDUR_API_TOKEN"] = waldur.tokens.manager

    said = advice(program, "right to approve and complete orders", "warning")

    assert "an owner of the service provider's organization" in said
    program.environ["WALDUR_API_TOKEN"] = right


def test_an_offering_that_nobody_can_order_from(program: Program, waldur: Waldur) -> None:
    waldur.change("offerings", waldur.offering_uuid, state="Draft")

    assert "activate it" in advice(program, "offering", "warning")

    waldur.change("offerings", waldur.offering_uuid, state="Active")


def test_components_out_of_step(program: Program, tres_file: Path) -> None:
    tres_file.write_text(TRES.replace("label: CPU", "label: Core"))

    command, *_ = advice(program, "components", "warning").split(" --dry-run")

    assert program.run(*command.split()[1:]).returncode == 0
    assert "components" not in troubles(program)
    tres_file.write_text(TRES)
    assert program.run(*command.split()[1:]).returncode == 0


def test_a_plan_that_lacks_prices(program: Program, waldur: Waldur) -> None:
    """For a limit that holds for an allocation's life, which today's Waldur books at once."""
    [gpu] = [one["uuid"] for one in waldur.components() if one["type"] == "gres/gpu"]
    waldur.change("components", gpu, billing_type="limit", limit_period="total")
    waldur.set_trait("every_component_has_a_price", False)
    waldur.set_price("gres/gpu", None)

    said = advice(program, "prices", "failed")

    found = re.search(r"POST (\S+) with (\{.*\})", said)
    assert found is not None
    token = {"Authorization": f"Token {waldur.tokens.provider}"}
    prices = json.loads(found[2])
    assert requests.post(waldur.url + found[1], json=prices, headers=token, timeout=30).ok
    assert "prices" not in troubles(program)
    waldur.change("components", gpu, billing_type="usage", limit_period="")
    waldur.set_trait("every_component_has_a_price", True)


def test_a_component_that_is_spelt_otherwise_in_waldur(
    program: Program, waldur: Waldur, tres_file: Path
) -> None:
    [gpu] = [one["uuid"] for one in waldur.components() if one["type"] == "gres/gpu"]
    waldur.change("components", gpu, type="gpu")

    said = advice(program, "components", "warning")

    found = re.match(r"write `(component: \w+)` below (\S+) in the TRES file", said)
    assert found is not None
    tres_file.write_text(TRES.replace(f"{found[2]}:\n", f"{found[2]}:\n  {found[1]}\n"))
    assert "components" not in troubles(program)
    waldur.change("components", gpu, type="gres/gpu")
    tres_file.write_text(TRES)


def test_people_without_a_name_and_names_without_a_person(
    program: Program, waldur: Waldur, slurm_users: tuple[str, ...]
) -> None:
    program.environ["SLURM_REQUIRE_UNIX_USERS"] = "true"
    project = waldur.make_project(waldur.make_customer("Science"), "Physics")
    user = waldur.make_user("ann")
    waldur.add_member(project, user)
    waldur.set_offering_username(user, "")

    assert "the agent never invents names" in advice(program, "people", "warning")

    newcomer = f"wsat-new{os.getpid()}"  # nobody whom another run beside this one has made
    waldur.set_offering_username(user, newcomer)
    assert "getent passwd" in advice(program, "Unix users", "warning")

    ensure_users((newcomer,))


def test_clocks_that_are_apart(program: Program, waldur: Waldur) -> None:
    waldur.set_clock(datetime.now(UTC) + timedelta(hours=1))

    assert "timedatectl" in advice(program, "clock", "warning")

    waldur.set_clock(None)


def test_hours_that_are_counted_as_minutes(program: Program, tres_file: Path) -> None:
    tres_file.write_text(TRES.replace("  unit_factor: 60000 # 1,000 hours of 60 minutes\n", ""))
    assert "60000 for k-Hours" in advice(program, "TRES file", "warning")

    tres_file.write_text(TRES)


def test_a_place_for_the_audit_log_that_is_not_there(program: Program, tmp_path: Path) -> None:
    place = tmp_path / "log"
    program.environ["AGENT_AUDIT_LOG"] = str(place / "audit.jsonl")

    assert "set AGENT_AUDIT_LOG to another place" in advice(program, "audit log", "failed")

    place.mkdir()


@pytest.mark.parametrize(
    ("setting", "broken", "subject"),
    [
        ("WALDUR_API_URL", "http://127.0.0.1:9/nothing/", "Waldur"),
        ("WALDUR_API_TOKEN", "0" * 40, "token"),
        ("WALDUR_OFFERING_UUID", "0" * 32, "offering"),
        ("SLURM_CLUSTER_NAME", "elsewhere", "controller"),
        ("SLURM_DEFAULT_ACCOUNT", "nosuch", "default account"),
        ("SLURM_BIN_PATH", "/nonexistent", "Slurm"),
        ("SLURM_TRES_CONFIG_PATH", "/nonexistent", "TRES file"),
        ("AGENT_STATE_DIR", "/dev/null/state", "state directory"),
    ],
)
def test_a_setting_that_is_wrong(program: Program, setting: str, broken: str, subject: str) -> None:
    right = program.environ.get(setting)
    program.environ[setting] = broken

    line = lines(program)[subject]

    assert line["verdict"] == "failed"
    assert setting in line["advice"] or broken in line["found"]
    if right is None:
        del program.environ[setting]
    else:
        program.environ[setting] = right


def test_a_container_that_does_not_run(
    program: Program, container_cluster_22_05: ContainerCluster
) -> None:
    program.environ |= {
        "SLURM_DEPLOYMENT_TYPE": "docker",
        "SLURM_CONTAINER_NAME": "wsat-no-such-container",
        "SLURM_DEFAULT_ACCOUNT": "root",
        "SLURM_BIN_PATH": "",
    }

    assert "SLURM_CONTAINER_NAME runs" in advice(program, "Slurm", "failed")

    program.environ["SLURM_CONTAINER_NAME"] = container_cluster_22_05.container
