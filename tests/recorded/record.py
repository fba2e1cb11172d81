"""Write what a real Slurm says to every question of ours: `python -m tests.recorded.record`.

Rule: the files beside this one come from here and are never edited. Each holds the calls of one
scene; the parser tests play them back. Natively it records this machine's Slurm, with a release
of the sandbox's containers as argument that one's.
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sandbox.docker.cluster import ContainerCluster
from sandbox.slurm import Cluster, ClusterOptions
from sandbox.slurm.users import ensure_users, remove_users
from tests.contract.site import PEOPLE, RealSite
from tests.fakes.transport import RecordingTransport, write_calls
from waldur_slurm.errors import SlurmError
from waldur_slurm.model.accounts import NewAccount
from waldur_slurm.model.jobs import JobRecord
from waldur_slurm.model.names import ROOT, AccountName, UserName
from waldur_slurm.model.period import Window
from waldur_slurm.model.tres import TresName
from waldur_slurm.processes.native import NativeTransport
from waldur_slurm.slurm.accounting.client import SlurmClient
from waldur_slurm.slurm.transports.docker import DockerTransport

HERE = Path(__file__).parent
ANN, BOB, EVE = PEOPLE
TOP, PHYSICS, CHEMISTRY = map(AccountName, ("waldur", "physics", "chemistry"))
EVERYBODY = (*PEOPLE, UserName("ghost"), UserName("stranger"))

FORGED = """x

JobId=1 JobName=x
   JobState=SUSPENDED Reason=None
   SubmitTime=1 EligibleTime=1
   SuspendTime=1 SecsPreSuspend=0

JobId=3 JobName=x"""

Scene = Callable[[RealSite, SlurmClient], object]


def furnish(site: RealSite) -> None:
    """Make a site with everything that has ever confused a parser."""
    hand = site.hand
    mark = f"waldur resource={'0123456789abcdef' * 2} physics"
    site.client.add_accounts(
        [
            NewAccount(TOP, ROOT, "waldur", "hpc"),
            NewAccount(PHYSICS, TOP, mark, "hpc", {TresName("cpu"): 60000}, fairshare="5"),
            NewAccount(CHEMISTRY, TOP, "Chemistry", "hpc", {TresName("mem"): 1573376}),
        ]
    )
    site.client.add_users({PHYSICS: [ANN, BOB], CHEMISTRY: [ANN]})
    site.add_qos("high", "low")
    site.add_to_partition(EVE, PHYSICS)
    everything = "cpu=100000,mem=1500000,node=9,energy=5000000000,billing=7,gres/gpu=6000"
    hand("add", "account", "full", "cluster=lab", "parent=waldur", f"GrpTRESMins={everything}")
    limits = ("GrpJobs=0", "GrpSubmitJobs=0", "MaxSubmitJobs=4", "Fairshare=parent")
    hand("modify", "account", "where", "name=full", "cluster=lab", "set", *limits)
    hand(
        "modify",
        "account",
        "where",
        "name=full",
        "cluster=lab",
        "set",
        "QOS=high,low",
        "DefaultQOS=low",
    )
    hand(
        "add",
        "user",
        "ghost",
        "account=full",
        "cluster=lab",
        "GrpTRESMins=cpu=500",
        "MaxSubmitJobs=0",
    )
    hand("add", "coordinator", "account=physics", f"names={BOB}")
    hand("add", "account", "pi|pe", "cluster=lab", "description=a | b", "organization=o")
    hand("modify", "account", "where", "name=full", "set", "description=one | two\nthree")
    hand("add", "account", "physics", "cluster=other")
    hand("add", "account", "elsewhere", "cluster=other", "description=not here")
    hand("add", "user", "stranger", "account=elsewhere", "cluster=other")


def furnish_jobs(site: RealSite) -> None:
    def submit(user: str, account: str, *options: str) -> str:
        batch = (
            "sbatch",
            f"--account={account}",
            "--mem=10",
            "--time=5",
            "--output=/dev/null",
            *options,
        )
        return site.machine.must(*batch, "--wrap=sleep 600", user=user).split()[-1]

    submit(ANN, PHYSICS, "--ntasks=4", "--gres=gpu:2", "--job-name=SuspendTime=1 | x")
    submit(ANN, PHYSICS, "--array=1-9%2")
    submit(ANN, CHEMISTRY, "--hold")
    submit(BOB, PHYSICS, ":", "--ntasks=2", "--mem=10", "--time=5")
    with suppress(Exception):
        submit(BOB, PHYSICS, "--gres=gpu:99")
    forger = submit(BOB, PHYSICS, f"--job-name={FORGED}")
    time.sleep(3)
    listing = ("squeue", "--noheader", "--states=RUNNING", "--format=%i")
    site.wait_until(lambda: {"1", forger} <= set(site.machine.must(*listing).split()))
    for job in ("1", forger):
        site.machine.must("scontrol", "suspend", job)
    site.machine.must("scontrol", "requeue", "2_1")
    time.sleep(6)


def read_records(_: RealSite, client: SlurmClient) -> None:
    now = datetime.now(UTC)
    records = list(client.read_job_records(Window(now - timedelta(hours=1), now)))
    client.read_queue([PHYSICS, CHEMISTRY])
    client.read_suspended([r.id for r in records if isinstance(r, JobRecord) and r.is_suspended])
    client.read_rollup(PHYSICS, Window(now - timedelta(hours=2), now + timedelta(hours=1)))


def be_refused(_: RealSite, client: SlurmClient) -> None:
    nobody, nothing = AccountName("nobody"), TresName("gres/nope")
    nobody_at_all = UserName("nobody-at-all")
    attempts: list[Callable[[], object]] = [
        lambda: client.set_limits(PHYSICS, {nothing: 5}),
        lambda: client.add_accounts([NewAccount(AccountName("odd"), TOP, "", "", {nothing: 1})]),
        lambda: client.set_default_account(nobody_at_all, PHYSICS),
        lambda: client.set_qos(PHYSICS, ["nosuch"], ""),
        lambda: client.set_qos(PHYSICS, ["low"], "high"),
        lambda: client.set_default_account(BOB, CHEMISTRY),
        lambda: client.set_description(nobody, "text"),
        lambda: client.remove_users(CHEMISTRY, [ANN]),
    ]
    for attempt in attempts:
        with suppress(SlurmError):
            attempt()


def ask_everything(_: RealSite, client: SlurmClient) -> None:
    """Ask each tool once; what fails is what is wanted here."""
    now = datetime.now(UTC)
    hour = Window(now - timedelta(hours=1), now)
    attempts: list[Callable[[], object]] = [
        client.read_snapshot,
        lambda: client.read_default_accounts([ANN]),
        lambda: client.set_limits(PHYSICS, {TresName("cpu"): 1}),
        lambda: list(client.read_job_records(hour)),
        lambda: client.read_rollup(PHYSICS, hour),
        lambda: client.read_queue([PHYSICS]),
        lambda: client.read_suspended(["1"]),
    ]
    for attempt in attempts:
        with suppress(SlurmError):
            attempt()


SCENES: dict[str, Scene] = {
    "snapshot": lambda _, client: client.read_snapshot(),
    "default-accounts": lambda _, client: client.read_default_accounts(EVERYBODY),
    "tres": lambda _, client: client.read_tres(),
    "version": lambda _, client: client.read_version(),
    "configuration": lambda _, client: client.read_configuration(),
    "unix-users": lambda _, client: client.read_missing_unix_users([ANN, UserName("wsat-no")]),
    "jobs": read_records,
    "refused": be_refused,
}


def record(site: RealSite) -> None:
    furnish(site)
    furnish_jobs(site)
    folder = HERE / site.client.read_version()
    folder.mkdir(exist_ok=True)

    def play(name: str, scene: Scene) -> None:
        recording = RecordingTransport(site.transport)
        scene(site, SlurmClient(recording))
        write_calls(folder / f"{name}.json", recording.calls)

    for name, scene in SCENES.items():
        play(name, scene)
    for daemon in ("slurmdbd", "mariadbd", "slurmctld"):
        recording = RecordingTransport(site.transport)
        client = SlurmClient(recording)
        client.read_snapshot()
        recording.calls.clear()
        site.machine.stop_daemon(daemon)
        ask_everything(site, client)
        write_calls(folder / f"without-{daemon}.json", recording.calls)
        site.machine.start_daemon(daemon)


@contextmanager
def started(release: str | None) -> Iterator[RealSite]:
    """Start this machine's Slurm, or a release of the sandbox's containers."""
    if release:
        with ContainerCluster.start(release) as container:
            container.ensure_users(PEOPLE)
            container.must("sacctmgr", "--immediate", "add", "cluster", "other")
            yield RealSite(container, DockerTransport(container.container))
        return
    ensure_users(PEOPLE)
    place = Path(tempfile.mkdtemp(prefix="wsat-"))
    place.chmod(0o755)
    cluster = Cluster.start(place, ClusterOptions(other_clusters=("other",)))
    try:
        path = {"PATH": os.environ["PATH"]}  # noqa: TID251 - where Slurm's tools lie here
        yield RealSite(cluster, NativeTransport(path, extra=cluster.environ))
    finally:
        cluster.wipe()
        remove_users()


if __name__ == "__main__":
    with started(*sys.argv[1:2] or (None,)) as site:
        record(site)
