"""Builds how people sign in to the dashboard, as the settings say. It decides nothing."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from waldur_slurm.gateway.doors.claims import Expected, person_again
from waldur_slurm.gateway.doors.keyring import Keyring
from waldur_slurm.gateway.doors.principals import Principal
from waldur_slurm.gateway.doors.sessions import Claims, SessionRing
from waldur_slurm.gateway.settings import Settings
from waldur_slurm.gateway.store.sessions import StoredSessions
from waldur_slurm.gateway.store.sqlite import Database
from waldur_slurm.gateway.web.pages.site import Pages
from waldur_slurm.telemetry.events import Sink

if TYPE_CHECKING:
    from waldur_slurm.gateway.doors.code_flow import CodeFlow
    from waldur_slurm.gateway.doors.oidc import Issuer


class SigningIn:
    """What the doors and the dashboard share about people."""

    def __init__(
        self, settings: Settings, keyring: Keyring, database: Database, secret: Callable[[], bytes]
    ) -> None:
        self._settings = settings
        self._keyring = keyring
        self._secret = secret
        self.sessions = SessionRing(
            StoredSessions(database),
            secret,
            keyring,
            self._person_of if settings.oidc_issuer else None,
            lambda: datetime.now(UTC),
            settings.pages.session_life,
        )

    def expected(self) -> Expected:
        settings = self._settings
        return Expected(
            issuer=settings.oidc_issuer or "",
            audience=settings.oidc_audience or "",
            username_claim=settings.oidc_username_claim,
            username=settings.oidc_username.compiled if settings.oidc_username else None,
            groups_claim=settings.oidc_groups_claim,
            roles=settings.roles.each,
        )

    def issuer(self, tell: Sink) -> "Issuer | None":
        """Make it only where one is named: most sites have none, and the library is large."""
        if not self._settings.oidc_issuer:
            return None
        from waldur_slurm.gateway.doors.fetching import fetch
        from waldur_slurm.gateway.doors.oidc import Issuer

        return Issuer(self.expected(), fetch, tell, time.monotonic, time.time)

    def pages(self, issuer: "Issuer | None") -> Pages:
        keyring = self._keyring
        return Pages(self.sessions, keyring.recognise, keyring.id_of, self._flow(issuer))

    def _flow(self, issuer: "Issuer | None") -> "CodeFlow | None":
        told = self._settings.pages
        if issuer is None or not told.client_id:
            return None
        from waldur_slurm.gateway.doors.code_flow import Client, CodeFlow
        from waldur_slurm.gateway.doors.fetching import fetch, send_form

        secret = told.client_secret.reveal() if told.client_secret else ""
        client = Client(told.client_id, secret, told.redirect_url or "", told.scopes)
        return CodeFlow(issuer, self.expected(), client, fetch, send_form, self._secret)

    def _person_of(self, claims: Claims, ends: datetime) -> Principal:
        return person_again(claims, self.expected(), ends.timestamp(), time.time())
