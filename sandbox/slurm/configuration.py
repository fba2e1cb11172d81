"""The text of every configuration file of a cluster. Pure: a site in, text out.

Each line that is not a plain choice cost a failure first; the reason stands beside it.
"""

from collections.abc import Mapping

from sandbox.slurm.site import Site

DATABASE = "slurm_acct_db"
DATABASE_USER = "slurm"
LICENSES_EACH = 100
BILLING_WEIGHTS = "CPU=1.0,Mem=0.25G,GRES/gpu=2.0"


def slurm_conf(site: Site, user: str) -> str:
    options = site.options
    settings = _identity(site, user) | _behaviour() | _accounting(site)
    licenses = [name.partition("/")[2] for name in options.tres if name.startswith("license/")]
    if licenses:
        settings["Licenses"] = ",".join(f"{name}:{LICENSES_EACH}" for name in licenses)
    settings |= options.slurm_conf
    return _lines(settings) + "".join(_node_lines(site)) + _partition_line()


def slurmdbd_conf(site: Site, user: str) -> str:
    return _lines(
        {
            "AuthType": "auth/munge",
            "AuthInfo": f"socket={site.munge_socket}",
            "DbdHost": "localhost",
            "DbdAddr": "127.0.0.1",
            "DbdPort": str(site.slurmdbd_port),
            "SlurmUser": user,
            "DebugLevel": "info",
            "LogFile": str(site.log("slurmdbd")),
            "PidFile": str(site.directory / "run" / "slurmdbd.pid"),
            "StorageType": "accounting_storage/mysql",
            "StorageHost": "127.0.0.1",
            "StoragePort": str(site.mariadb_port),
            "StorageUser": DATABASE_USER,
            "StoragePass": DATABASE_USER,
            "StorageLoc": DATABASE,
        }
        | {**site.options.slurmdbd_conf}
    )


def gres_conf(site: Site) -> str:
    """Slurm counts a GPU only if its device file exists; any regular file will do."""
    if not site.options.gpus:
        return ""
    kind = gpu_kind(site)
    names = f"Name=gpu Type={kind}" if kind else "Name=gpu"
    return f"{names} File={site.directory}/dev/gpu[0-{site.options.gpus - 1}]\n"


def gpu_kind(site: Site) -> str:
    """Return the model of the fake GPUs where the tracked TRES name one: a100 for gres/gpu:a100."""
    kinds = [name.partition(":")[2] for name in site.options.tres if name.startswith("gres/gpu:")]
    return kinds[0] if kinds else ""


def _identity(site: Site, user: str) -> dict[str, str]:
    return {
        "ClusterName": site.options.name,
        "SlurmctldHost": f"{site.hostname}(127.0.0.1)",
        "SlurmctldPort": str(site.slurmctld_port),
        "AuthType": "auth/munge",
        "AuthInfo": f"socket={site.munge_socket}",
        "CredType": "cred/munge",
        "SlurmUser": user,
        "SlurmdUser": user,
        "StateSaveLocation": f"{site.directory}/state",
        "SlurmdSpoolDir": f"{site.spool}/%n",
        "SlurmctldPidFile": f"{site.directory}/run/slurmctld.pid",
        "SlurmdPidFile": f"{site.directory}/run/%n.pid",
        "SlurmctldLogFile": str(site.log("slurmctld")),
        "SlurmdLogFile": str(site.log("%n")),
        "MailProg": "/bin/true",
    }


def _behaviour() -> dict[str, str]:
    return {
        # No cgroup, no MPI: works in a container, and as any user.
        "MpiDefault": "none",
        "ProctrackType": "proctrack/linuxproc",
        "TaskPlugin": "task/none",
        "JobAcctGatherType": "jobacct_gather/linux",
        "JobAcctGatherFrequency": "task=1",
        "ReturnToService": "2",
        "KillWait": "2",
        "SlurmctldTimeout": "120",
        "SlurmdTimeout": "300",
        # Lets two real cores claim to be eight.
        "SlurmdParameters": "config_overrides",
        # Without these two a job waits for the next scheduling round.
        "SchedulerParameters": "batch_sched_delay=0,sched_min_interval=0,bf_interval=1",
        "SelectType": "select/cons_tres",
        "SelectTypeParameters": "CR_Core_Memory",
        "DefMemPerCPU": "512",
        "GresTypes": "gpu",
        "PriorityType": "priority/multifactor",
        "PriorityDecayHalfLife": "0",
        "PriorityUsageResetPeriod": "MONTHLY",
        "PriorityCalcPeriod": "1",
    }


def _accounting(site: Site) -> dict[str, str]:
    return {
        "AccountingStorageType": "accounting_storage/slurmdbd",
        "AccountingStorageHost": "127.0.0.1",
        "AccountingStoragePort": str(site.slurmdbd_port),
        # Towards slurmdbd clients read the munge socket from here, not from AuthInfo.
        "AccountingStoragePass": str(site.munge_socket),
        "AccountingStorageTRES": ",".join(site.options.tres),
        "AccountingStorageEnforce": "associations,limits,qos,safe",
        "AccountingStoreFlags": "job_comment",
    }


def _node_lines(site: Site) -> list[str]:
    options = site.options
    kind = gpu_kind(site)
    gres = f" Gres=gpu:{kind + ':' if kind else ''}{options.gpus}" if options.gpus else ""
    return [
        f"NodeName={node} NodeHostname={site.hostname} NodeAddr=127.0.0.1 "
        f"Port={site.slurmd_port(node)} CPUs={options.cpus} "
        f"RealMemory={options.memory_mb}{gres} State=UNKNOWN\n"
        for node in options.node_names
    ]


def _partition_line() -> str:
    return (
        "PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP "
        f'TRESBillingWeights="{BILLING_WEIGHTS}"\n'
    )


def _lines(settings: Mapping[str, str]) -> str:
    return "".join(f"{name}={value}\n" for name, value in settings.items())
