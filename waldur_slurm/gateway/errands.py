"""What a gateway goes on doing for its clients: it watches jobs, writes letters, takes tasks."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from waldur_slurm.gateway.paging import Asked, pages
from waldur_slurm.gateway.patience import Patient
from waldur_slurm.gateway.wire_watch import (
    LettersAnswer,
    LetterView,
    MonitorsAnswer,
    MonitorTransitionsAnswer,
    MonitorTransitionView,
    MonitorView,
    TasksAnswer,
    TaskView,
)

Ways = Mapping[str, Mapping[str, str]]
"""Ways of letters with their parameters: `{"email": {"recipient": "ann@example.org"}}`."""


class Errands:
    """Each is made once for each `uuid`: asked again it is the same one."""

    def __init__(self, asker: Patient) -> None:
        self._asker = asker

    def watch(
        self, job_id: str, ways: Ways, *, uuid: str, occasions: Sequence[str] = ("terminal",)
    ) -> MonitorView:
        """Have letters written when it ends, or at other `occasions`: started, requeued, ..."""
        body = {"job_id": job_id, "methods": ways, "occasions": [*occasions], "uuid": uuid}
        return self._asker.told(MonitorView, "POST", "/monitors", body=body)

    def monitor(self, monitor_id: str) -> MonitorView:
        return self._asker.told(MonitorView, "GET", _monitor(monitor_id))

    def monitors(self, **narrowed: Asked) -> Iterator[MonitorView]:
        """Yield them, the newest first: `monitors(stage="watching")`."""
        found = pages(self._asker, MonitorsAnswer, "/monitors", narrowed)
        return (each for page in found for each in page.monitors)

    def transitions(self, monitor_id: str) -> tuple[MonitorTransitionView, ...]:
        """Tell what became of the job while it was watched, the oldest first."""
        path = f"{_monitor(monitor_id)}/transitions"
        return self._asker.told(MonitorTransitionsAnswer, "GET", path).transitions

    def forget(self, monitor_id: str) -> None:
        """Drop a monitor; its job goes on."""
        with self._asker.ask("DELETE", _monitor(monitor_id)):
            return

    def letters(self, **narrowed: Asked) -> Iterator[LetterView]:
        """Yield them, the newest first: `letters(stage="dead")` never arrived."""
        found = pages(self._asker.of_all, LettersAnswer, "/letters", narrowed)
        return (each for page in found for each in page.letters)

    def submit_task(self, task: Mapping[str, Any]) -> TaskView:
        """Hand a task in; its `uuid` is what makes it one."""
        if not task.get("uuid"):
            raise ValueError("a task without a uuid could be handed in twice")
        return self._asker.told(TaskView, "POST", "/tasks", body=task)

    def task(self, uuid: str) -> TaskView:
        return self._asker.told(TaskView, "GET", f"/tasks/{quote(uuid, safe='')}")

    def tasks(self) -> Iterator[TaskView]:
        found = pages(self._asker, TasksAnswer, "/tasks", {})
        return (each for page in found for each in page.tasks)


def _monitor(monitor_id: str) -> str:
    return f"/monitors/{quote(monitor_id, safe='')}"
