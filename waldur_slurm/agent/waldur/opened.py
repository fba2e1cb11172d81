"""What every intent goes through: the session, the dialect that the server speaks, bad rows."""

from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from threading import Lock

from waldur_slurm.agent.model.marketplace import (
    Dialect,
    Offering,
    OfferingUuid,
    Unreadable,
    UserUuid,
)
from waldur_slurm.agent.waldur.dialects import open_dialect
from waldur_slurm.agent.waldur.dialects.api import DialectApi
from waldur_slurm.agent.waldur.notices import (
    Notice,
    dialect_found,
    order_unreadable,
    row_unreadable,
)
from waldur_slurm.agent.waldur.session import WaldurSession
from waldur_slurm.agent.waldur.unreadable import UnreadableOrders, Unreadables
from waldur_slurm.agent.waldur.wire.offerings import parse_offering

THREADS = 8


class Opened:
    """One offering of one server; nothing is asked before the first call.

    That one finds the dialect and checks the offering.
    """

    def __init__(
        self,
        session: WaldurSession,
        offering: OfferingUuid,
        *,
        tell: Callable[[Notice], None] = lambda _notice: None,
        threads: int = THREADS,
    ) -> None:
        self._session = session
        self._offering_uuid = offering
        self._tell = tell
        self._threads = threads
        self._found: DialectApi | None = None
        self._told: Dialect | None = None
        self._lost_routes = 0
        self._accounts_of: DialectApi | None = None
        self._account_lists: tuple[str, ...] = ()
        self._names: dict[UserUuid, str] = {}
        self._bad_rows = Unreadables(lambda row: tell(row_unreadable(row)))
        self._bad_orders = UnreadableOrders(lambda order, why: tell(order_unreadable(order, why)))
        self._lock = Lock()

    @property
    def dialect(self) -> Dialect:
        return self._api.dialect

    @property
    def server_time(self) -> datetime | None:
        text = self._session.server_date
        try:
            return parsedate_to_datetime(text).astimezone(UTC) if text else None
        except (ValueError, OverflowError):
            return None

    @property
    def unreadable(self) -> tuple[Unreadable, ...]:
        return self._bad_rows.all()

    def read_offering(self) -> Offering:
        self._opened()
        raw = self._session.get_marketplace_provider_offering(self._offering_uuid)
        return parse_offering(raw, "offering")

    @property
    def _api(self) -> DialectApi:
        return self._opened()

    def _opened(self) -> DialectApi:
        """Find the dialect, and refuse an offering that no agent may serve.

        Once, and again when a route has gone: then Waldur has been upgraded in the meantime.
        """
        with self._lock:
            if self._found is None or self._lost_routes != self._session.lost_routes:
                self._found = open_dialect(self._session, self._offering_uuid)
                self._lost_routes = self._session.lost_routes
                self._tell_dialect(self._found.dialect)
            return self._found

    def _tell_dialect(self, dialect: Dialect) -> None:
        if dialect is not self._told:
            self._told = dialect
            self._tell(dialect_found(dialect))
