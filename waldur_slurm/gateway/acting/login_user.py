"""The one user of another host whom a gateway by ssh acts as, as that host knows him. Blocks.

The gateway's own host need not know him. He is asked for rarely, by one at a time, and what is
known stands while that host is silent: whether anything can be done is then found out in doing it.
"""

import threading
import time
from collections.abc import Callable

from waldur_slurm.errors import ExpectedError, NotPermitted
from waldur_slurm.gateway.doors.people import Person
from waldur_slurm.gateway.errors import Denied, GatewayError, NotNow
from waldur_slurm.model.names import UserName
from waldur_slurm.slurm.transports.identity import Identity

KEPT_S = 600.0
AGAIN_S = 5.0
"""How soon a host that did not answer is asked again."""


class LoginUser:
    """`ask` asks that host."""

    def __init__(
        self,
        name: str,
        host: str,
        ask: Callable[[], Identity],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = UserName(name)
        self._host = host
        self._ask = ask
        self._clock = clock
        self._turn = threading.Lock()
        self._known: Identity | GatewayError = NotNow("nobody has asked yet", AGAIN_S)
        self._until = 0.0

    def find(self, name: UserName) -> Person | None:
        """Return him; raises `Denied` of others, and `NotNow` while he was never heard of."""
        if name != self._name:
            raise Denied(
                f"over ssh this gateway is {self._name} on {self._host}, and acts as nobody else"
            )
        known = self._identity()
        return Person(self._name, known.uid, known.gid, known.groups)

    def home(self) -> str:
        return self._identity().home

    def _identity(self) -> Identity:
        if self._turn.acquire(blocking=not isinstance(self._known, Identity)):
            try:
                self._look_again()
            finally:
                self._turn.release()
        known = self._known
        if isinstance(known, GatewayError):
            raise known.with_traceback(None)
        return known

    def _look_again(self) -> None:
        """Ask where it is time to; silence takes nothing back, a refusal does."""
        if self._clock() < self._until:
            return
        found = self._asked()
        if not (isinstance(found, NotNow) and isinstance(self._known, Identity)):
            self._known = found
        self._until = self._clock() + (KEPT_S if isinstance(found, Identity) else AGAIN_S)

    def _asked(self) -> Identity | GatewayError:
        try:
            return self._ask()
        except NotPermitted as error:
            return Denied(f"the hand refused: {error}")
        except ExpectedError as error:
            why = f"nothing was done: who {self._name} is is not known: {error}"
            return NotNow(why, AGAIN_S)
