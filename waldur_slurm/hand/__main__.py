"""The door: which way somebody came in, and whether it is the one who may.

    hand               sudo or the executor started it as the user, and says for whom
    hand self CONF     it is the user's own: nobody becomes anybody
    hand serve         root's service behind a socket

Every way ends in `answer`.
"""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence

from waldur_slurm.hand import conversation, limits, login, place
from waldur_slurm.hand.acts import Admit, answer
from waldur_slurm.hand.conf import Conf
from waldur_slurm.hand.conversation import Conversation
from waldur_slurm.hand.errors import Refused
from waldur_slurm.hand.people import Person, find_person, uid_of
from waldur_slurm.hand.trusted import read_conf

STARTERS = ("SUDO_UID", "EXECUTOR_UID")
"""Where those who start this file as a user say for whom. All of the environment is theirs.

Who sets one by himself is already the user whom he is acted as.
"""

ROOT = 0
USAGE = 2
UNUSABLE = 78


def main(argv: Sequence[str], environ: Mapping[str, str]) -> int:
    if [*argv] == ["serve"]:
        return _serve(environ)
    if [*argv] == []:
        admit = _by_starter(environ)
    elif len(argv) == 2 and argv[0] == "self":
        admit = _by_self(argv[1], environ)
    else:
        sys.stderr.write("usage: hand [serve | self CONF]; without arguments others start it\n")
        return USAGE
    login.close_all_but(3)
    conversation.end_silence()
    return answer(Conversation(0, 1), admit)


def _by_starter(environ: Mapping[str, str]) -> Admit:
    def admit(name: str) -> tuple[Person, Conf]:
        conf = read_conf(place.CONF, {ROOT})
        if [*_askers(environ)] != [str(uid_of(conf.caller))]:
            raise Refused(f"this was not started for {conf.caller}, who alone may ask")
        person = find_person(conf, name)
        login.check_is(person)
        limits.set_as_user(conf.limits)
        return person, conf

    return admit


def _askers(environ: Mapping[str, str]) -> Iterator[str]:
    return (environ[name] for name in STARTERS if name in environ)


def _by_self(path: str, environ: Mapping[str, str]) -> Admit:
    def admit(name: str) -> tuple[Person, Conf]:
        if [*_askers(environ)]:
            raise Refused("sudo and the executor start this file without arguments")
        conf = read_conf(path, {ROOT, os.getuid()})
        person = find_person(conf, name, by_caller=False)
        login.check_is(person)
        return person, conf

    return admit


def _serve(environ: Mapping[str, str]) -> int:
    from waldur_slurm.hand.service import serve

    try:
        return serve(place.CONF, environ)
    except Refused as why:
        sys.stderr.write(f"hand: {why}\n")
        return UNUSABLE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))  # noqa: TID251 - this is the hand's main
