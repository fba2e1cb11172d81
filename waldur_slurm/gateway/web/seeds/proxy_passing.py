"""What the third original hands on to slurmrestd, with a token that the hand asks for.

Its document calls these routes private. Who names no user is answered by what Slurm shows to the
gateway itself, so that wants to see everybody's jobs.
"""

import re

from starlette.responses import Response

from waldur_slurm.errors import ExpectedError
from waldur_slurm.gateway.acting import words
from waldur_slurm.gateway.acting.audit import Act
from waldur_slurm.gateway.acting.words import BUSY_S, refusals
from waldur_slurm.gateway.errors import (
    GatewayError,
    NoSuchAddress,
    NotNow,
    NotOffered,
    OutcomeUnknown,
)
from waldur_slurm.gateway.web.answers import JSON
from waldur_slurm.gateway.web.ask import Ask
from waldur_slurm.gateway.web.seeds.proxy_asked import asked, named_user
from waldur_slurm.gateway.web.seeds.proxy_refusals import Wrong
from waldur_slurm.gateway.web.seeds.proxy_wire import written
from waldur_slurm.model.batch import Refusal
from waldur_slurm.slurm.rest.grammar.answers import refused
from waldur_slurm.slurm.rest.logins import Logins
from waldur_slurm.slurm.rest.passing import Passed, Passing, Question
from waldur_slurm.slurm.rest.talk import Answer


async def diag(ask: Ask) -> Response:
    return await _handed_on(ask, Question("GET", "slurm", "/diag/"))


async def jobs(ask: Ask) -> Response:
    """Jobs since then; 0 is what slurmdbd tells by itself, as the original always asked."""
    since = _whole(ask, "update_time")
    query = f"?start_time=uts{since}" if since else ""
    return await _handed_on(ask, Question("GET", "slurmdb", f"/jobs/{query}"))


async def job(ask: Ask) -> Response:
    return await _handed_on(ask, Question("GET", "slurmdb", f"/job/{_whole(ask, 'job_id')}/"))


async def submit(ask: Ask) -> Response:
    """Hand a job in as the body describes it. Asked twice, it is there twice: `/submit` is safe."""
    slurmrestd = _slurmrestd(ask)
    body = await asked(ask, Wrong("No job provided"))
    user = body.pop("username", None) or named_user(ask)
    if not user or not isinstance(user, str):
        raise Wrong("No username provided")
    question = Question("POST", "slurm", "/job/submit/", body)
    cluster = ask.cluster.name

    def work() -> Passed:
        actor = ask.site.actors.find(ask.caller, user, cluster)
        about = {"by": "slurmrestd"}
        act = Act(caller=ask.caller, user=actor.person.name, what="job.submit", about=about)
        with ask.site.audit.doing(act) as learned:
            passed = _asked(slurmrestd, question, actor.logins)
            learned["job_id"] = passed.answer.said.get("job_id")
            return passed

    return await _shown(ask, await ask.site.crossing.hands.run(work))


async def _handed_on(ask: Ask, question: Question) -> Response:
    slurmrestd, user = _slurmrestd(ask), named_user(ask)
    if user:
        passed = await ask.acting(user, lambda actor: _asked(slurmrestd, question, actor.logins))
    else:
        passed = await ask.site.crossing.slurm.run(lambda: _asked(slurmrestd, question, None))
    return await _shown(ask, passed)


def _slurmrestd(ask: Ask) -> Passing:
    found = ask.site.proxy.slurmrestd
    if found is None:
        raise NotOffered("slurmrestd answers this, and GATEWAY_SLURMRESTD_URL does not say where")
    return found


def _asked(slurmrestd: Passing, question: Question, logins: Logins | None) -> Passed:
    """Blocks; raises what slurmrestd says no with."""
    try:
        with refusals():
            passed = slurmrestd.ask(question, logins)
    except GatewayError:
        raise
    except ExpectedError as error:
        raise NotNow(f"slurmrestd: {error}", BUSY_S) from error
    if not passed.answer.is_done:
        raise _refused(question, passed.answer)
    return passed


def _refused(question: Question, answer: Answer) -> GatewayError:
    """Whether a job is there that nothing clear was said of nobody knows."""
    why = refused(answer.said)
    is_clear = why.refusal is not Refusal.OTHER or 400 <= answer.status < 500
    if question.method == "POST" and not is_clear:
        return OutcomeUnknown(f"slurmrestd answered {answer.status}: {why.words}", BUSY_S)
    return words.refused(why)


async def _shown(ask: Ask, passed: Passed) -> Response:
    """A list may be long, so it is written in a lane."""
    view = {
        "slurm_query_username": passed.user,
        "slurm_query_url": passed.url,
        "response": passed.answer.said,
    }
    body = await ask.site.crossing.bodies.run(lambda: written(view))
    return Response(body, media_type=JSON)


def _whole(ask: Ask, name: str) -> int:
    """Read a number of the path; there is no address with anything else."""
    text: str = ask.request.path_params[name]
    if re.fullmatch(r"[0-9]{1,12}", text) is None:
        raise NoSuchAddress("there is no such address")
    return int(text)
