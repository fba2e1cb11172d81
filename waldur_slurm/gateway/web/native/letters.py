"""Letters: which wait, which arrived, which are dead, and to let a dead one be tried again."""

from collections.abc import Sequence
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
from waldur_slurm.gateway.web.native.cursors import cut_page, read_cursor
from waldur_slurm.gateway.web.native.monitors import is_own, watching
from waldur_slurm.gateway.web.native.spelling import Cursor
from waldur_slurm.gateway.wire_watch import LettersAnswer


class LettersQuery(msgspec.Struct, frozen=True):
    stage: Literal["", "waiting", "delivered", "dead"] = ""
    cursor: Cursor = ""
    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 100


async def list_letters(ask: Ask) -> Response:
    page, following = await find_letters(ask, ask.query(LettersQuery))
    return _answer(LettersAnswer(following, tuple(map(views.letter_view, page))))


async def find_letters(ask: Ask, query: LettersQuery) -> tuple[Sequence[Letter], str | None]:
    """Return a page of them, and the cursor of the next one."""
    about = f"letters {query.stage} {query.limit} {ask.principal} {ask.principal.visibility}"
    sought = _sought(
        ask,
        stage=Stage(query.stage) if query.stage else None,
        before=read_cursor(ask.site.mark, about, query.cursor) if query.cursor else None,
    )
    found = await stored(ask, lambda: watching(ask).letters.search(sought, query.limit + 1))
    return cut_page(found, query.limit, ask.site.mark, about)


async def show_letter(ask: Ask) -> Response:
    return _answer(views.letter_view(await _find(ask)))


async def try_letter_again(ask: Ask) -> Response:
    await let_try_again(ask)
    return _answer(views.letter_view(await _find(ask)))


async def let_try_again(ask: Ask) -> None:
    """Let it be tried for a day more, under the same `message_id`."""
    site, letter = watching(ask), await _find(ask)
    if not is_own(ask, letter):
        raise Denied(f"the letter is {letter.owner}'s")
    if letter.stage is not Stage.DEAD:
        raise Busy(f"the letter is {letter.stage}; only a dead one is tried again", 60.0)
    site.gate.let_ask(letter.owner, {letter.method: letter.parameters})
    await stored(ask, lambda: site.letters.try_again(letter, site.now()))


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
