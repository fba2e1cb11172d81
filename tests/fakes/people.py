"""People whom a test names, whether or not this machine has such users."""

from collections.abc import Mapping

from waldur_slurm.gateway.doors.people import People, Person
from waldur_slurm.model.names import UserName


class ThesePeople(People):
    """All that is decided is decided as ever; who there is, is not asked of the machine."""

    def __init__(self, *names: str, groups: Mapping[str, tuple[str, ...]] | None = None) -> None:
        super().__init__(1000, 65_535, "slurm", find=self._named)
        self._names = names
        self.groups = dict(groups or {})
        """Of people."""

    def _named(self, name: UserName) -> Person | None:
        if name not in self._names:
            return None
        return Person(name, 1000, 1000, self.groups.get(name, ()))
