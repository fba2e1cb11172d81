"""The Unix users of the machine where Slurm runs, which need not be this one."""

from collections.abc import Collection, Mapping

from waldur_slurm.errors import CommandFailed, TransportError
from waldur_slurm.model.names import UserName
from waldur_slurm.slurm.accounting.grammar import border, commands, parsers
from waldur_slurm.slurm.accounting.intents.confirmed import ConfirmedWrites
from waldur_slurm.slurm.accounting.port import Outcome
from waldur_slurm.slurm.grammar.evidence import said

GETENT_SOME_MISSING = 2


class UnixUsers(ConfirmedWrites):
    """Who exists, and has a home."""

    def read_missing_unix_users(self, users: Collection[UserName]) -> frozenset[UserName]:
        if not users:
            return frozenset()
        return frozenset(users) - self._homes(users).keys()

    def make_home(self, user: UserName) -> Outcome:
        border.check_user(user)
        home = self._homes([user]).get(user)
        argv = commands.make_home(user)
        if home is None:
            raise CommandFailed(argv, 1, f"no unix user {user}")
        return self._settled(argv, lambda: self._tools.attempt(commands.find_home(home)).code == 0)

    def _homes(self, users: Collection[UserName]) -> Mapping[UserName, str]:
        argv = commands.look_up_users(users)
        completed = self._tools.attempt(argv)
        if completed.code not in (0, GETENT_SOME_MISSING):
            raise TransportError(f"cannot look up users: {said(completed)}")
        return parsers.parse_passwd(completed.out)
