"""Routes of monitors, of letters, and of what an epilog tells."""

from waldur_slurm.gateway.doors.scopes import Scope
from waldur_slurm.gateway.web.native import hooks, letters, monitors
from waldur_slurm.gateway.web.native import monitor_views as views
from waldur_slurm.gateway.web.route import PUBLIC, Route

_READ, _WRITE = Scope.MONITOR_READ, Scope.MONITOR_WRITE
_ONE = "/monitors/{monitor_id}"

MONITOR_ROUTES: tuple[Route, ...] = (
    Route(
        "POST",
        "/monitors",
        _WRITE,
        monitors.make_monitor,
        "watches a job that one may see, whoever made it; with the same `uuid` again 200",
        body=monitors.MonitorWanted,
        answer=views.MonitorView,
        status=201,
        also=(views.MonitorView,),
    ),
    Route(
        "GET",
        "/monitors",
        _READ,
        monitors.list_monitors,
        "monitors that one made, and of jobs that one sees, page by page",
        query=monitors.MonitorsQuery,
        answer=views.MonitorsAnswer,
    ),
    Route("GET", _ONE, _READ, monitors.show_monitor, "one monitor", answer=views.MonitorView),
    Route(
        "DELETE",
        _ONE,
        _WRITE,
        monitors.drop_monitor,
        "forgets a monitor; its job goes on",
        status=204,
    ),
    Route(
        "GET",
        f"{_ONE}/transitions",
        _READ,
        monitors.list_transitions,
        "what became of the job while it was watched",
        answer=views.MonitorTransitionsAnswer,
    ),
    Route(
        "GET",
        f"{_ONE}/notifications",
        _READ,
        monitors.list_notifications,
        "the monitor's letters that are kept, and what became of each",
        answer=views.NotificationsAnswer,
    ),
    Route(
        "POST",
        f"{_ONE}/notifications/test",
        _WRITE,
        monitors.try_notifications,
        "sends a letter by each of the monitor's ways, to try it",
        answer=views.NotificationsAnswer,
        status=201,
    ),
)
"""Of a cluster."""

LETTER_ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/api/v1/letters",
        _READ,
        letters.list_letters,
        "letters that one asked for, and of jobs that one sees: `stage=dead` never arrived",
        query=letters.LettersQuery,
        answer=views.LettersAnswer,
    ),
    Route(
        "GET",
        "/api/v1/letters/{message_id}",
        _READ,
        letters.show_letter,
        "one letter",
        answer=views.LetterView,
    ),
    Route(
        "POST",
        "/api/v1/letters/{message_id}/again",
        _WRITE,
        letters.try_letter_again,
        "lets a dead letter be tried for a day more",
        answer=views.LetterView,
    ),
    Route(
        "POST",
        "/api/v1/hooks/job",
        PUBLIC,
        hooks.hear_of_job,
        "an epilog tells that a job ends, signed with the nodes' secret; it is looked at",
        headers=hooks.HookHeaders,
        body=hooks.HookedJob,
        status=204,
        is_by_any_name=True,
    ),
)
