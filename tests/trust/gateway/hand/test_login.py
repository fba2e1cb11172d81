"""Who acts as somebody has what a fresh login of his has, and nothing of who asked."""

import os
import subprocess
from pwd import getpwnam

import pytest

from sandbox.slurm import Cluster
from tests.e2e.program import eventually
from tests.fixtures_hand import ANN, BOB, WAYS, HandSite

PROBE = """#!/bin/sh
echo ids $(id -u) $(id -g) $(id -G | tr ' ' '\\n' | sort -n | tr '\\n' ' ')
grep -E '^(Uid|Gid|Groups|NoNewPrivs|SigBlk|SigIgn|CapEff|CapPrm)' /proc/$$/status | sort
echo umask $(umask)
ulimit -a | sed 's/^/limit /'
ls /proc/self/fd | tr '\\n' ' ' | sed 's/^/descriptors /'
echo
pwd | sed 's/^/at /'
"""
SEEN = {"ids", "Uid:", "Gid:", "Groups:", "umask", "CapEff:", "CapPrm:", "SigBlk:"}

ACCOUNT = "wsat-hand"


def words(text: str, firsts: set[str]) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines() if line.split()[0] in firsts]


@pytest.fixture
def probing(hand_site: HandSite) -> HandSite:
    """A site whose sbatch tells what it was given."""
    directory = hand_site.directory / "bin"
    directory.mkdir(exist_ok=True)
    (directory / "sbatch").write_text(PROBE)
    (directory / "sbatch").chmod(0o755)
    (directory / "scancel").write_text("#!/bin/sh\nexec env -0\n")
    (directory / "scancel").chmod(0o755)
    hand_site.write_conf(slurm_bin=str(directory))
    return hand_site


def fresh_login(user: str) -> str:
    """What `su -l` gives; it goes through PAM, as every login does."""
    argv = ("su", "--login", "--shell", "/bin/sh", user, "--command", PROBE)
    environ = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    return subprocess.run(argv, check=True, capture_output=True, text=True, env=environ).stdout


@pytest.mark.parametrize("user", [ANN, BOB])
@pytest.mark.parametrize("way", WAYS)
def test_ids_groups_umask_limits_and_rights_are_those_of_a_fresh_login(
    probing: HandSite, way: str, user: str
) -> None:
    given = probing.behalf(way, user).of(user).commands.run(("sbatch",)).out

    seen = SEEN if way in ("self", "ssh") else {*SEEN, "limit"}  # as oneself, one has what one had
    assert words(given, seen) == words(fresh_login(user), seen)
    assert words(given, {"ids"})[0].split()[1] == str(getpwnam(user).pw_uid)


@pytest.mark.parametrize("way", WAYS)
def test_a_tool_has_its_three_descriptors_and_no_other(probing: HandSite, way: str) -> None:
    """Whatever this process has open, and may hand on, stays here."""
    kept = os.open("/etc/hostname", os.O_RDONLY)
    os.set_inheritable(kept, True)
    try:
        given = probing.behalf(way).of(ANN).commands.run(("sbatch",)).out
    finally:
        os.close(kept)

    assert words(given, {"descriptors"}) == ["descriptors 0 1 2 3"]  # 3 is what ls looks through


@pytest.mark.parametrize("way", WAYS)
def test_the_environment_is_a_logins_and_nothing_of_who_asked(
    probing: HandSite, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LD_LIBRARY_PATH", "SBATCH_ACCOUNT", "PYTHONPATH", "SECRET", "BASH_ENV"):
        monkeypatch.setenv(name, "of the caller")
    entry = getpwnam(ANN)

    given = probing.behalf(way).of(ANN).commands.run(("scancel", "1"), environ={"TZ": "UTC"}).out

    assert dict(row.split("=", 1) for row in given.split("\0") if row) == {
        "HOME": entry.pw_dir,
        "LOGNAME": ANN,
        "USER": ANN,
        "SHELL": entry.pw_shell,
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "PWD": "/",  # by the shell that the test's tool is
    }


def test_root_sets_the_limits_of_the_socket_way(probing: HandSite) -> None:
    probing.write_conf(slurm_bin=str(probing.directory / "bin"), limits="nofile=123:456 core=0")

    given = probing.behalf().of(ANN).commands.run(("sbatch",)).out

    limits = [
        line.split()[-1] for line in words(given, {"limit"}) if "core" in line or "files" in line
    ]
    assert limits == ["0", "123"]


@pytest.fixture
def on_slurm(hand_site: HandSite, slurm_cluster: Cluster) -> HandSite:
    """A site whose tools are Slurm's own, and whose users have an account there."""
    slurm_cluster.run("sacctmgr", "-i", "add", "account", ACCOUNT)
    slurm_cluster.run("sacctmgr", "-i", "add", "user", f"{ANN},{BOB}", f"account={ACCOUNT}")
    hand_site.write_conf(slurm_conf=slurm_cluster.environ["SLURM_CONF"])
    return hand_site


@pytest.mark.parametrize("user", [ANN, BOB])
@pytest.mark.parametrize("way", WAYS)
def test_a_job_is_submitted_as_the_user_and_is_what_was_asked_for(
    on_slurm: HandSite, slurm_cluster: Cluster, way: str, user: str
) -> None:
    home = on_slurm.home(user)
    behalf = on_slurm.behalf(way, user).of(user)
    name = 'it\'s a "name" | with, all: $HOME `id` --uid=0'
    variables = {"A": "x,y\nz", "PATH": "/usr/bin:/bin", "QUOTED": 'it\'s "so" $HOME'}
    of_the_script = "#!/bin/sh\n#SBATCH --export=NONE --job-name=other\n"
    script = f"{of_the_script}{PROBE}\nprintf '%s' \"$A$QUOTED\" > values\nenv -0 > env\n"

    done = behalf.commands.run(
        ("sbatch", "--parsable", f"--account={ACCOUNT}", f"--job-name={name}", "--mem=10",
         f"--chdir={home}", "--output=out", f"--comment={name}"),
        stdin=script,
        variables=variables,
    )  # fmt: skip

    assert done.code == 0, done.err
    job = done.out.strip()
    shown = slurm_cluster.must("squeue", "-h", "-a", "-j", job, "--states=all", "-o", "%u~%j~%k")
    eventually(lambda: state_of(slurm_cluster, job) == "COMPLETED", "the job has ended")
    assert shown.strip() == f"{user}~{name}~{name}"
    entry = getpwnam(user)
    output = home / "out"
    assert (output.stat().st_uid, output.stat().st_gid) == (entry.pw_uid, entry.pw_gid)
    assert words(output.read_text(), {"ids"}) == words(fresh_login(user), {"ids"})
    assert (home / "values").read_text() == variables["A"] + variables["QUOTED"]
    assert "HOME=" not in (home / "env").read_text().split("\0")


def test_somebody_elses_job_is_not_cancelled_but_ones_own_is(
    on_slurm: HandSite, slurm_cluster: Cluster
) -> None:
    ann, bob = (on_slurm.behalf().of(user).commands for user in (ANN, BOB))
    asked = ("sbatch", "--parsable", f"--account={ACCOUNT}", "--hold", "--chdir=/tmp", "--mem=10")
    job = ann.run(asked, stdin="#!/bin/sh\ntrue\n", variables={}).out.strip()

    denied = bob.run(("scancel", job))
    held = ann.run(("scontrol", "update", f"JobId={job}", "Comment=a b"))
    script = ann.run(("scontrol", "write", "batch_script", job, "-"))
    cancelled = ann.run(("scancel", job))

    assert denied.code != 0
    assert (held.code, script.out, cancelled.code) == (0, "#!/bin/sh\ntrue\n", 0)
    assert state_of(slurm_cluster, job) == "CANCELLED"


def state_of(cluster: Cluster, job: str) -> str:
    return cluster.must("squeue", "-h", "-a", "-j", job, "--states=all", "-o", "%T").strip()
