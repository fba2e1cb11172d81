"""Each remedy of the gateway's check: how to break what it is for, and how to follow it."""

from collections.abc import Callable

from tests.e2e.gateway.check_doors import (
    MAIL,
    a_certificate,
    a_wrong_issuer,
    an_issuer_without_keys,
    another_address,
    as_it_calls_itself,
    give_it_a_key,
    loopback,
    make_the_token,
    name_the_relay,
    no_token,
    taken,
)
from tests.e2e.gateway.check_scene import CheckScene
from tests.e2e.gateway.check_steps import Case, by_way, told, typed, without
from tests.fixtures_hand import ANN, CALLER

# Settings, user, places


def as_root(scene: CheckScene) -> None:
    scene.is_root = True


def type_it_as_the_gateways_user(scene: CheckScene, advice: str) -> None:
    assert "sudo -u slurm-gateway slurm-gateway check" in advice  # who is called CALLER here
    scene.is_root = False


def take_the_state_away(scene: CheckScene) -> None:
    scene.must(f"chown -R root: {scene.state}; chmod 700 {scene.state}")


def move_the_state(scene: CheckScene, advice: str) -> None:
    assert "set GATEWAY_STATE_DIR to another place" in advice
    scene.settings["GATEWAY_STATE_DIR"] = str(scene.site.place / "elsewhere")
    scene.must(f"install -d -m 0700 -o {CALLER} {scene.site.place}/elsewhere")
    done = scene.program.run(
        "token", "make", "--name", "trial", "--scopes", "cluster:read", "--expires", "1d"
    )
    assert done.returncode == 0, done.stderr


def make_the_directory(scene: CheckScene, advice: str) -> None:
    typed(r"as root, (install .*?), or set GATEWAY_APPS_DIR")(scene, advice)
    scene.ends.append(lambda: scene.must("rm -r /var/lib/wsat-apps"))


def spoil_the_database(scene: CheckScene) -> None:
    database = scene.state / "gateway.sqlite"
    database.with_name("backup").write_bytes(database.read_bytes())
    database.write_bytes(b"nothing that SQLite knows" * 100)


def put_the_backup_in_its_place(scene: CheckScene, _advice: str) -> None:
    database = scene.state / "gateway.sqlite"
    database.write_bytes(database.with_name("backup").read_bytes())


def show_the_secret(scene: CheckScene) -> None:
    (scene.state / "token-secret").chmod(0o644)


def hide_the_secret(scene: CheckScene, advice: str) -> None:
    assert "mode 0600" in advice
    (scene.state / "token-secret").chmod(0o600)


def lose_the_secret(scene: CheckScene) -> None:
    (scene.state / "token-secret").rename(scene.state / "backup")


def find_the_secret(scene: CheckScene, _advice: str) -> None:
    (scene.state / "backup").rename(scene.state / "token-secret")


# Slurm


def stop(daemon: str) -> Callable[[CheckScene], None]:
    return lambda scene: scene.lab.stop_daemon(daemon)


def start(daemon: str) -> Callable[[CheckScene, str], None]:
    def follows(scene: CheckScene, advice: str) -> None:
        assert daemon in advice
        scene.lab.start_daemon(daemon)

    return follows


def an_old_release(scene: CheckScene) -> None:
    scene.replace_tool("scontrol", 'real "$@" | sed "s/^SLURM_VERSION .*/SLURM_VERSION = 20.11.9/"')


def a_clock_ahead(scene: CheckScene) -> None:
    ahead = '"s/\\(at.*(\\)\\([0-9]*\\))/\\1$(( $(date +%s) + 90 )))/"'
    scene.replace_tool("sdiag", f'real "$@" | sed {ahead}')


def mend(tool: str) -> Callable[[CheckScene, str], None]:
    return lambda scene, _advice: scene.restore_tool(tool)


def private(scene: CheckScene) -> None:
    scene.configure(PrivateData="jobs")
    scene.ends.append(lambda: scene.lab.run("sacctmgr", "-i", "delete", "user", CALLER))


def configured(**values: str) -> Callable[[CheckScene], None]:
    return lambda scene: scene.configure(**values)


def as_it_says(name: str, value: str) -> Callable[[CheckScene, str], None]:
    """Set what the advice names in slurm.conf."""

    def follows(scene: CheckScene, advice: str) -> None:
        assert name in advice
        assert value in advice
        scene.configure(**{name: value})

    return follows


def no_accounting(scene: CheckScene) -> None:
    """Let slurmctld say that it has none: one that had would have no GPUs either."""
    none = '"s,accounting_storage/slurmdbd,accounting_storage/none,"'
    scene.replace_tool("scontrol", f'real "$@" | sed {none}')


def accounting_again(scene: CheckScene, advice: str) -> None:
    assert "AccountingStorageType=accounting_storage/slurmdbd" in advice
    scene.restore_tool("scontrol")


# Acting


def nobody_named(scene: CheckScene) -> None:
    scene.arguments = ()


def name_somebody(scene: CheckScene, advice: str) -> None:
    assert "check --as USER" in advice
    scene.arguments = ("--as", ANN)


def no_rules(scene: CheckScene) -> None:
    rules = scene.site.hand.sudoers
    text = rules.read_text()
    rules.write_text("# nothing\n")
    scene.ends.append(lambda: rules.write_text(text))


def the_line_of_sudo(scene: CheckScene, advice: str) -> None:
    assert "sudoers line" in advice
    scene.ends.pop()()


def the_commands_do_without(scene: CheckScene, advice: str) -> None:
    without("GATEWAY_CONNECTOR")(scene, advice)


PEOPLE = {"GATEWAY_ANONYMOUS_SCOPES": "jobs:read:all"}
NETWORK = {"GATEWAY_TRUSTED_NETWORKS": "10.1.0.0/16 may jobs:submit as any"}

CASES = (
    Case(
        "correct it in",
        "settings",
        told(GATEWAY_LISTENS="127.0.0.1:1"),
        lambda scene, _: scene.settings.pop("GATEWAY_LISTENS"),
        "warning",
    ),
    Case("type it as the gateway's user", "user", as_root, type_it_as_the_gateways_user, "warning"),
    Case("to another place", "GATEWAY_STATE_DIR", take_the_state_away, move_the_state),
    Case(
        "as root, install -d -m 0711",
        "GATEWAY_APPS_DIR",
        told(GATEWAY_APPS_DIR="/var/lib/wsat-apps/of-nobody"),
        make_the_directory,
    ),
    Case("put a backup of", "database", spoil_the_database, put_the_backup_in_its_place),
    Case("mode 0600", "secret of tokens", show_the_secret, hide_the_secret),
    Case("put token-secret of", "secret of tokens", lose_the_secret, find_the_secret),
    Case("see that slurmctld and munge run", "Slurm lab", stop("slurmctld"), start("slurmctld")),
    Case("upgrade Slurm", "Slurm lab", an_old_release, mend("scontrol"), "warning"),
    Case("an operator", "Slurm lab: sight", private, typed(r"(sacctmgr -i add .*?) \(")),
    Case(
        "set MinJobAge=",
        "Slurm lab: memory",
        configured(MinJobAge="5"),
        as_it_says("MinJobAge", "300"),
        "warning",
    ),
    Case(
        "let slurmctld write to a slurmdbd",
        "Slurm lab: accounting",
        no_accounting,
        accounting_again,
        "warning",
    ),
    Case("see that slurmdbd", "Slurm lab: accounting", stop("slurmdbd"), start("slurmdbd")),
    Case(
        "add job_comment",
        "Slurm lab: comments",
        configured(AccountingStoreFlags="job_script"),
        as_it_says("AccountingStoreFlags", "job_comment"),
        "warning",
    ),
    Case("let both follow", "Slurm lab: clock", a_clock_ahead, mend("sdiag"), "warning"),
    Case("list users in hand.conf", "executor", nobody_named, name_somebody),
    Case("see that root has installed the hand", "executor", no_rules, the_line_of_sudo),
    Case(
        "see that the socket is there",
        "executor",
        by_way("socket", GATEWAY_HAND_SOCKET="{place}/nowhere"),
        without("GATEWAY_HAND_SOCKET"),
    ),
    Case(
        "see that the executor is installed",
        "executor",
        by_way("setuid", GATEWAY_SETUID_PROGRAM="{place}/nowhere"),
        without("GATEWAY_SETUID_PROGRAM"),
    ),
    Case(
        "see that SSH_HOSTNAME",
        "executor",
        by_way("ssh", GATEWAY_SSH_PORT="{port}"),
        without("GATEWAY_SSH_PORT"),
    ),
    Case(
        "take GATEWAY_CONNECTOR away",
        "slurmrestd",
        told(GATEWAY_CONNECTOR="slurmrestd", GATEWAY_SLURMRESTD_URL="http://127.0.0.1:{port}"),
        the_commands_do_without,
    ),
    Case("see who has it", "listening at", taken, another_address),
    Case(
        "behind a proxy that has TLS",
        "listening at",
        told(GATEWAY_LISTEN="0.0.0.0:{port}", GATEWAY_PLAIN_HTTP="true"),
        loopback,
        "warning",
    ),
    Case(
        "give the gateway's user a PEM",
        "TLS",
        told(GATEWAY_TLS_CERTIFICATE="{place}/nowhere.pem"),
        a_certificate,
    ),
    Case(
        "leave that to tokens",
        "without a token",
        told(**PEOPLE),
        without("GATEWAY_ANONYMOUS_SCOPES"),
        "warning",
    ),
    Case(
        "name hosts of which you know",
        "without a token",
        told(**NETWORK),
        without("GATEWAY_TRUSTED_NETWORKS"),
        "warning",
    ),
    Case("make one, as the gateway's user", "tokens", no_token, make_the_token, "warning"),
    Case("set GATEWAY_OIDC_ISSUER", "OpenID Connect", a_wrong_issuer, as_it_calls_itself),
    Case("let it sign with", "OpenID Connect", an_issuer_without_keys, give_it_a_key),
    Case("see that SMTP_SERVER", "letters by email", told(**MAIL), name_the_relay),
)
