"""One conversation from its request to its answer, whoever let it in."""

from collections.abc import Callable

from waldur_slurm.hand import files, login, tools, trees
from waldur_slurm.hand.conf import Conf
from waldur_slurm.hand.conversation import Conversation
from waldur_slurm.hand.errors import Failed, Lost, Refused
from waldur_slurm.hand.paths import Roots
from waldur_slurm.hand.people import Person, told_of
from waldur_slurm.hand.requests import (
    Act,
    List,
    Make,
    Put,
    Remove,
    Slurm,
    Stat,
    Take,
    Who,
    ZipIn,
    ZipOut,
    parse_request,
)

Admit = Callable[[str], tuple[Person, Conf]]
"""Let a user be acted as: return who this process now is and what root allows, or refuse."""


def answer(talk: Conversation, admit: Admit) -> int:
    """Obey the one request of a conversation and say how it ended; return an exit code."""
    try:
        try:
            request = parse_request(talk.request())
            person, conf = admit(request.user)
            login.settle(person, conf)
            _obey(request.act, person, conf, talk)
        except Refused as why:
            talk.refused(why)
        except Failed as why:
            talk.failed(why)
        except OSError as error:
            talk.failed(Failed(f"the system said: {error.strerror}", error.errno or 0))
    except Lost:
        return 1
    return 0


def _obey(act: Act, person: Person, conf: Conf, talk: Conversation) -> None:
    roots = Roots(conf.roots, person)
    match act:
        case Who():
            talk.done(told_of(person))
        case Slurm():
            environ = login.environment(person, conf)
            tools.run(act, roots, conf.slurm_bin, environ, talk)
        case ZipOut() | ZipIn():
            _obey_zip(act, roots, talk)
        case _:
            _obey_file(act, roots, talk)


def _obey_file(
    act: Make | Put | Take | List | Stat | Remove, roots: Roots, talk: Conversation
) -> None:
    match act:
        case Make():
            files.make(act, roots, talk)
        case Put():
            files.put(act, roots, talk)
        case Take():
            files.take(act, roots, talk)
        case List():
            trees.list_tree(act, roots, talk)
        case Stat():
            files.look(act, roots, talk)
        case Remove():
            trees.remove(act, roots, talk)


def _obey_zip(act: ZipOut | ZipIn, roots: Roots, talk: Conversation) -> None:
    """Import zipfile only now: it takes as long as all the rest."""
    if isinstance(act, ZipOut):
        from waldur_slurm.hand.zip_out import zip_out

        zip_out(act, roots, talk)
    else:
        from waldur_slurm.hand.zip_in import zip_in

        zip_in(act, roots, talk)
