"""A dashboard with apps, tasks, monitors and letters in memory, for a browser to look at."""

from datetime import timedelta
from pathlib import Path

from tests.e2e.gateway.pages_bed import CANARY, HOSTILE
from tests.fakes.cluster import live_job
from tests.unit.gateway.watch.monitors import NOW
from tests.unit.gateway.web.pages.kept_site import APP, KeptSite, dead
from tests.unit.gateway.web.pages.pages_site import HOME
from waldur_slurm.gateway.apps.job import End, ManagedJob, Run, Stage
from waldur_slurm.gateway.post.letter import Method
from waldur_slurm.gateway.post.letter import Stage as Post
from waldur_slurm.gateway.submits.attempt import Placed
from waldur_slurm.gateway.watch.monitor import Stage as Watch
from waldur_slurm.model.batch import JobId
from waldur_slurm.model.names import UserName

OLD = "11111111-1111-4111-8111-111111111111"
SAYS = f"550 5.1.1 {HOSTILE[0]} no such user" + " in a long answer of a sink" * 20
WORDY = f"""{{#
parameters:
  command: {{kind: lines, required: true, says: What is run.}}
  args: {{kind: texts}}
  cpus_per_task: {{kind: whole, most: 64, default: 2}}
  partition: {{kind: choice, choices: [main, long], default: main}}
  loud: {{kind: flag, default: true}}
#}}
#!/bin/sh
# {HOSTILE[0]}
#SBATCH --cpus-per-task={{{{ cpus_per_task | sbatch }}}}
sh -c {{{{ command | sh }}}} {{% for arg in args or [] %}} {{{{ arg | sh }}}}{{% endfor %}}
"""


def kept_bed(place: Path) -> KeptSite:
    """Make it alike each time; whatever somebody may write is as hostile as it gets."""
    site = KeptSite(place=place, jobs_ttl=timedelta(seconds=1))
    site.places.put_template(APP.id, "own", WORDY)
    _add_jobs(site)
    _add_watched(site)
    return site


def _add_jobs(site: KeptSite) -> None:
    ended = End("FAILED", 1, 0, NOW, NOW + timedelta(minutes=3), "NonZeroExitCode")
    folder = site.folder(OLD)
    runs = (
        Run("r1", 1, NOW, 901, "physics", f"{folder}/slurm-901.out", ended),
        Run("r2", 2, NOW, 902, "physics", f"{folder}/slurm-902.out"),
    )
    name = HOSTILE[1] + "w" * 120
    ann = UserName("ann")
    site.kept_jobs.jobs[OLD] = ManagedJob(OLD, APP.id, ann, 1000, name, NOW, Stage.READY, runs)
    site.tree.add(folder, "directory")
    site.tree.write(f"{folder}/batch.sh", f"#!/bin/sh\necho '{HOSTILE[3]}'\n".encode())
    site.tree.write(f"{folder}/slurm-901.out", b"<b>first</b>\n")
    site.tree.write(f"{folder}/slurm-902.out", f"step 1 {HOSTILE[0]}\n".encode())
    site.tree.write(f"{folder}/{HOSTILE[2].replace('/', '_')}", b"1")
    site.gateway.cluster.put(live_job(902, user=ann, state="RUNNING", reason="None"))


def _add_watched(site: KeptSite) -> None:
    given = {"cmd": "echo", "params": list(HOSTILE), "slurm": {"comment": HOSTILE[0]}}
    for number in range(30):
        task = site.add_task(f"run-{number}", given={"uuid": f"run-{number}", **given})
        site.add_letter(f"{number:02}lettersofatask", monitor=task.monitor, stage=Post.DELIVERED)
    placed = Placed(JobId(902), "lab", NOW, HOME, f"{HOME}/{HOSTILE[0]}", f"{HOME}/err.txt")
    task = site.add_task("placed", given={"uuid": "placed", **given}, placed=placed)
    site.add_letter("wordy", monitor=task.monitor, **dead(SAYS))
    stages = (*Watch, *Watch)
    for number, stage in enumerate(stages):
        site.add_monitor(
            f"{number}0123456789abcdef",
            job=number + 50,
            stage=stage,
            state=("RUNNING", "COMPLETED", "UNKNOWN", "TIMEOUT")[number % 4],
            uuid=HOSTILE[number % 5],
            updated=NOW,
            methods={Method.WEBHOOK: {"url": f"https://example.org/?{CANARY}"}, Method.TEST: {}},
        )
        site.turn(f"{number}0123456789abcdef", "PENDING", "RUNNING", HOSTILE[number % 5])
