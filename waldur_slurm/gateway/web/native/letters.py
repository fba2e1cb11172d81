"""Letters: which wait, which arrived, which are dead, and to let a dead one be tried again."""

from typing import Annotated, Any, Literal

import msgspec
from starlette.responses import Response

from waldur_slurm.gateway.errors import Busy, Denied, NotThere
from waldur_slurm.gateway.post.letter import Letter, Stage
from waldur_slurm.gateway.post.port import Sought
from waldur_slurm.gateway.web.answers import JSON
from waldur_slurm.gateway.web.ask import Ask
from waldur_slurm.gateway.web.managed import stored
from waldur_slurm.gateway.web.native import monitor_views as views
from waldur_slurm.gateway.web.native.cursors import read_cursor, write_cursor
from waldur_slurm.gateway.web.native.monitors import watching
from waldur_slurm.gateway.web.native.spelling import Cursor


class LettersQuery(msgspec.Struct, frozen=True):
    stage: Literal["", "waiting", "delivered", "dead"] = ""
    cursor: Cursor = ""
    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 100


async def list_letters(ask: Ask) -> Response:
    query = ask.query(LettersQuery)
    about = f"letters {query.stage} {query.limit} {ask.principal} {ask.principal.visibility}"
    sought = _sought(
        ask,
        stage=Stage(query.stage) if query.stage else None,
        before=read_cursor(ask.site.mark, about, query.cursor) if query.cursor else None,
    )
    found = await stored(ask, lambda: watching(ask).letters.search(sought, query.limit + 1))
    page = found[: query.limit]
    following = None
    if len(found) > len(page):
        following = write_cursor(ask.site.mark, about, page[-1][0])
    shown = tuple(views.letter_view(letter) for _, letter in page)
    return _answer(views.LettersAnswer(following, shown))


async def show_letter(ask: Ask) -> Response:
    return _answer(views.letter_view(await _find(ask)))


async def try_letter_again(ask: Ask) -> Response:
    """Let it be tried for a day more, under the same `message_id`."""
    site, letter = watching(ask), await _find(ask)
    if letter.owner != str(ask.principal) and not ask.principal.sees_all:
        raise Denied(f"the letter is {letter.owner}'s")
    if letter.stage is not Stage.DEAD:
        raise Busy(f"the letter is {letter.stage}; only a dead one is tried again", 60.0)
    site.gate.let_ask(letter.owner, {letter.method: letter.parameters})
    await stored(ask, lambda: site.letters.try_again(letter, site.now()))
    return _answer(views.letter_view(await _find(ask)))


async def _find(ask: Ask) -> Letter:
    sought = _sought(ask, message_id=ask.request.path_params["message_id"])
    found = await stored(ask, lambda: watching(ask).letters.search(sought, 1))
    if not found:
        raise NotThere("there is no such letter, or none that you may see")
    return found[0][1]


def _sought(ask: Ask, **more: Any) -> Sought:
    who = ask.principal
    if who.sees_only is None:
        return Sought(**more)
    return Sought(owner=str(who), users=sorted(who.sees_only), **more)


def _answer(view: msgspec.Struct) -> Response:
    return Response(msgspec.json.encode(view), media_type=JSON)
