"""Letters: which wait, which arrived, which are dead; and a button for a dead one."""

from collections.abc import Iterable
from typing import Annotated, Literal, NamedTuple

import msgspec
from starlette.responses import Response

from waldur_slurm.gateway.doors.decide import Yes, decide
from waldur_slurm.gateway.doors.scopes import Scope
from waldur_slurm.gateway.post.letter import Letter, Stage
from waldur_slurm.gateway.web.ask import Ask
from waldur_slurm.gateway.web.native.letters import LettersQuery, find_letters, let_try_again
from waldur_slurm.gateway.web.native.monitor_views import letter_view
from waldur_slurm.gateway.web.native.monitors import is_own
from waldur_slurm.gateway.web.native.spelling import Cursor
from waldur_slurm.gateway.web.pages.forms import read_form, session_of
from waldur_slurm.gateway.web.pages.rendering import (
    changed,
    link_with,
    page,
    redirected,
    shown,
    what_was_done,
)
from waldur_slurm.gateway.wire_watch import LetterView

_SAID = {"again": "The letter waits to be sent once more."}


class LettersPageQuery(msgspec.Struct, frozen=True):
    """`done`: what was just done."""

    stage: Literal["", "waiting", "delivered", "dead"] = ""
    cursor: Cursor = ""
    limit: Annotated[int, msgspec.Meta(ge=1, le=500)] = 50
    done: str = ""


class LetterRow(NamedTuple):
    """A letter; its monitor, where it is one of this page's; and whether it may be sent again."""

    view: LetterView
    monitor: str
    may_send_again: bool


@page
async def show_letters(ask: Ask) -> Response:
    query = ask.query(LettersPageQuery)
    wanted = LettersQuery(query.stage, query.cursor, query.limit)
    letters, following = await find_letters(ask, wanted)
    return await shown(
        ask,
        "letters.html",
        title="Letters",
        query=query,
        stages=tuple(Stage),
        letters=letter_rows(ask, letters),
        following=following,
        done=what_was_done(ask, _SAID, query.done),
        link=link_with(changed(query, "cursor", "done")),
    )


@page
async def send_again(ask: Ask) -> Response:
    await read_form(ask)
    await let_try_again(ask)
    return redirected("/ui/letters?done=again")


def letter_rows(ask: Ask, letters: Iterable[Letter]) -> tuple[LetterRow, ...]:
    may = bool(session_of(ask)) and isinstance(decide(ask.principal, Scope.MONITOR_WRITE), Yes)
    return tuple(
        LetterRow(
            letter_view(letter),
            letter.monitor.partition("/")[0],
            may and letter.stage is Stage.DEAD and is_own(ask, letter),
        )
        for letter in letters
    )
