"""The door: which way somebody came in, and whether it is the one who may.

    hand               sudo started it as the user: SUDO_UID is the caller's
    hand self CONF     it is the user's own: nobody becomes anybody
    hand serve         root's service behind a socket

Every way ends in `answer`. A fourth, a setuid program that starts this file as the user, would be
one more function beside `_by_sudo`: it needs nothing but proof of who called.
"""

import os
import sys
from collections.abc import Mapping, Sequence

from waldur_slurm.hand import conversation, limits, login, place
from waldur_slurm.hand.acts import Admit, answer
from waldur_slurm.hand.conf import Conf
from waldur_slurm.hand.conversation import Conversation
from waldur_slurm.hand.errors import Refused
from waldur_slurm.hand.people import Person, find_person, uid_of
from waldur_slurm.hand.trusted import read_conf

ROOT = 0
USAGE = 2
UNUSABLE = 78


def main(argv: Sequence[str], environ: Mapping[str, str]) -> int:
    if [*argv] == ["serve"]:
        return _serve(environ)
    if [*argv] == []:
        admit = _by_sudo(environ)
    elif len(argv) == 2 and argv[0] == "self":
        admit = _by_self(argv[1], environ)
    else:
        sys.stderr.write("usage: hand [serve | self CONF]; without arguments it is sudo's\n")
        return USAGE
    login.close_all_but(3)
    conversation.end_silence()
    return answer(Conversation(0, 1), admit)


def _by_sudo(environ: Mapping[str, str]) -> Admit:
    def admit(name: str) -> tuple[Person, Conf]:
        conf = read_conf(place.CONF, {ROOT})
        if environ.get("SUDO_UID") != str(uid_of(conf.caller)):
            raise Refused(f"sudo did not start this for {conf.caller}, who alone may ask")
        person = find_person(conf, name)
        login.check_is(person)
        limits.set_after_sudo(conf.limits)
        return person, conf

    return admit


def _by_self(path: str, environ: Mapping[str, str]) -> Admit:
    def admit(name: str) -> tuple[Person, Conf]:
        if "SUDO_UID" in environ:
            raise Refused("sudo starts this file without arguments")
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
