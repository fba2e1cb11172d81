"""A machine on which everybody is known whose name may be one, and may be acted as."""

from dataclasses import dataclass, field

from waldur_slurm.gateway.doors.people import People, Person
from waldur_slurm.gateway.doors.principals import is_user
from waldur_slurm.model.names import UserName


@dataclass
class FakePeople(People):
    """Decides as the real ones do; `groups` are those of each user, `barred` nobody is acted as."""

    groups: dict[str, tuple[str, ...]] = field(default_factory=dict)
    barred: frozenset[str] = frozenset({"root", "slurm"})

    def __post_init__(self) -> None:
        super().__init__(1000, 65_535, "slurm")

    def _find(self, name: UserName) -> Person | None:
        if not is_user(name) or name in self.barred:
            return None
        return Person(name, 1000, 1000, self.groups.get(name, ()))
