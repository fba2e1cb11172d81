"""What the pull direction keeps on disk, and when: written only when it changes."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from waldur_slurm.agent.pull.memory.quarantine import Rest
from waldur_slurm.agent.pull.world.doubts import Readings
from waldur_slurm.agent.pull.world.ledger import Ledger
from waldur_slurm.agent.pull.world.taken import Taken, taken_from_document, taken_to_document
from waldur_slurm.state import Document, State, understood

T = TypeVar("T")

_LEDGER = "journal/ledger"
_BRAKE = "journal/brake"
_REMOVALS = "journal/removals"
_QUARANTINE = "journal/quarantine"


class Journal:
    """The documents; each is read once a cycle and replaced whole.

    Raises `StateError` where one of them does not hold what it should.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self.ledger = self._read(_LEDGER, Ledger.from_document)
        self.doubts = self._read(_BRAKE, _each(Readings.from_document))
        self.taken = self._read(_REMOVALS, taken_from_document)
        self.quarantine = self._read(_QUARANTINE, _each(Rest.from_document))

    def keep_ledger(self, ledger: Ledger) -> None:
        if ledger != self.ledger:
            self._state.replace(_LEDGER, ledger.to_document())
            self.ledger = ledger

    def keep_doubts(self, doubts: Mapping[str, Readings]) -> None:
        if doubts != self.doubts:
            document = {key: readings.to_document() for key, readings in doubts.items()}
            self._state.replace(_BRAKE, document)
            self.doubts = doubts

    def keep_taken(self, taken: Taken) -> None:
        if taken != self.taken:
            self._state.replace(_REMOVALS, taken_to_document(taken))
            self.taken = taken

    def keep_quarantine(self, entries: Mapping[str, Rest]) -> None:
        if entries != self.quarantine:
            document = {subject: rest.to_document() for subject, rest in entries.items()}
            self._state.replace(_QUARANTINE, document)
            self.quarantine = entries

    def _read(self, name: str, parse: Callable[[Document], T]) -> T:
        document = self._state.read(name)
        with understood(name):
            return parse(document)


def _each(parse: Callable[[Document], T]) -> Callable[[Document], Mapping[str, T]]:
    return lambda document: {key: parse(entry) for key, entry in document.items()}
