"""Remedies for what lies on the agent's own host: settings, files, places that must be written."""

import re
from collections.abc import Callable
from pathlib import Path

from tests.e2e.remedy_cases import Case, set_right, setting, type_it
from tests.e2e.remedy_scene import OPERATOR, TRES, UNIT, Scene

# Settings and files


def misspell(scene: Scene) -> None:
    scene.put(SLURM_DEFAULT_ACOUNT="waldur")


def correct_the_file(scene: Scene, advice: str) -> None:
    file = Path(advice.removeprefix("correct it in "))
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join(line for line in lines if "ACOUNT" not in line))


def trust_the_authority(scene: Scene, advice: str) -> None:
    scene.environ["REQUESTS_CA_BUNDLE"] = str(scene.certificate)
    scene.put(**{advice.rpartition("remove ")[2]: ""})


def distrust(scene: Scene) -> None:
    del scene.environ["REQUESTS_CA_BUNDLE"]
    scene.put(REQUESTS_VERIFY_SSL="false")


def count_minutes(scene: Scene) -> None:
    scene.tres_file.write_text(TRES.replace("  unit_factor: 60000 # 1,000", "  # 1,000"))


def set_the_factor(scene: Scene, advice: str) -> None:
    found = re.search(r"set unit_factor \((\d+) for k-Hours", advice)
    assert found, advice
    text = scene.tres_file.read_text()
    scene.tres_file.write_text(text.replace("  # 1,000", f"  unit_factor: {found[1]} # 1,000"))


def make_hooks(mode: int) -> Callable[[Scene], None]:
    def breaks(scene: Scene) -> None:
        hooks = scene.place / f"hooks{mode:o}"
        hooks.mkdir()
        hooks.chmod(mode)
        scene.put(AGENT_HOOK_DIR=str(hooks))

    return breaks


def make_a_hook(scene: Scene, advice: str) -> None:
    hook = Path(scene.settings["AGENT_HOOK_DIR"], advice.split()[2])
    hook.write_text("#!/bin/sh\n")
    hook.chmod(0o755)


SETTINGS = (
    Case("correct it in ", "settings", misspell, correct_the_file, "warning"),
    Case(
        "use https in WALDUR_API_URL",
        "settings",
        lambda s: s.put(WALDUR_API_URL=s.waldur.url),
        lambda s, _: s.put(WALDUR_API_URL=s.front.url),
        "warning",
    ),
    Case("trust its authority", "settings", distrust, trust_the_authority, "warning"),
    Case(
        "correct the file",
        "TRES file",
        lambda s: s.tres_file.write_text("cpu: [\n"),
        lambda s, _: s.tres_file.write_text(TRES),
    ),
    Case("set unit_factor", "TRES file", count_minutes, set_the_factor, "warning"),
    Case(
        "unset AGENT_HOOK_DIR",
        "hooks",
        make_hooks(0o777),
        lambda s, advice: s.put(**{advice.rpartition("unset ")[2]: ""}),
    ),
    Case("name them account.added", "hooks", make_hooks(0o755), make_a_hook, "warning"),
)


# What must be written


def fill_a_disk(scene: Scene) -> None:
    disk = scene.place / "disk"
    disk.mkdir()
    scene.must(f"mount -t tmpfs -o size=2m small {disk}")
    scene.must(f"head -c 1500000 /dev/zero >{disk}/filler")
    scene.put(AGENT_STATE_DIR=f"{disk}/state")


def make_room(scene: Scene, advice: str) -> None:
    type_it(r"\((df -h [^;]+); df -i [^)]+\)")(scene, advice)
    (scene.place / "disk" / "filler").unlink()


def run_unit(makes: Callable[[Scene], object], **properties: str) -> Callable[[Scene], None]:
    """Let the service be of another user or in a sandbox; there is no audit log.

    `{new_user}` is one that is not there yet.
    """

    def breaks(scene: Scene) -> None:
        scene.put(AGENT_AUDIT_LOG="")
        makes(scene)
        told = {name: text.format(new_user=scene.new_user) for name, text in properties.items()}
        scene.describe_unit(**told)

    return breaks


def leave_a_journal(scene: Scene) -> None:
    (scene.place / "state" / "journal").mkdir(parents=True)


def open_the_state(scene: Scene) -> None:
    (scene.place / "state").mkdir()
    (scene.place / "state").chmod(0o777)


def open_all_but_the_log(scene: Scene) -> None:
    open_the_state(scene)
    scene.put(AGENT_AUDIT_LOG=str(scene.place / "units.jsonl"))


def open_the_sandbox(scene: Scene, advice: str) -> None:
    type_it(r"^(install .*?); then systemctl edit")(scene, advice)
    found = re.search(
        rf"systemctl edit {UNIT} with the lines \[Service\] and (\S+)=(\S+), ", advice
    )
    assert found, advice
    scene.describe_unit(**{"ProtectSystem": "strict", found[1]: found[2]})


def be_a_plain_user(scene: Scene) -> None:
    scene.put(AGENT_AUDIT_LOG="")
    leave_a_journal(scene)
    scene.user = OPERATOR


STORAGE = (
    Case(
        " to another place",
        "state directory",
        setting(AGENT_STATE_DIR="/dev/null/state"),
        set_right,
    ),
    Case(
        "install -d -m 0700 -o ",
        "audit log",
        setting(AGENT_AUDIT_LOG="{place}/log/audit.jsonl"),
        type_it(r"^(install .*?), or set"),
    ),
    Case("make room there", "state directory", fill_a_disk, make_room),
    Case(
        "chown -R ",
        "state directory",
        run_unit(leave_a_journal, User="wsat-ann"),
        type_it(r"^(chown .*?), or set"),
    ),
    Case(
        "install -d -m 0700 -o ",
        "state directory",
        run_unit(lambda _: None, User="wsat-ann"),
        type_it(r"^(install .*?), or set"),
    ),
    Case(
        "install -m 0600 -o ",
        "audit log",
        run_unit(open_all_but_the_log, User="wsat-ann"),
        type_it(r"^(install .*?), or set"),
    ),
    Case(
        "useradd --system ",
        "state directory",
        run_unit(open_the_state, User="{new_user}"),
        type_it(r"^(useradd .*?), or set"),
    ),
    Case(
        "; then systemctl edit ",
        "state directory",
        run_unit(lambda _: None, ProtectSystem="strict"),
        open_the_sandbox,
    ),
    Case("as root, ", "state directory", be_a_plain_user, type_it(r"as root, (.*?), or set")),
)
