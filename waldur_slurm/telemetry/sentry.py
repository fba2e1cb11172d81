"""Errors to Sentry, scrubbed; the library is imported only where a DSN is set.

Nothing is collected but the event itself: no local variables, arguments, breadcrumbs or host data.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from waldur_slurm.telemetry.events import Event, Level
from waldur_slurm.telemetry.lines import plain
from waldur_slurm.telemetry.redaction import Redaction

if TYPE_CHECKING:
    from sentry_sdk.types import Event as SentryEvent
    from sentry_sdk.types import Hint

_FLUSH_SECONDS = 2.0


class Sentry:
    """A sink that reports events of level ERROR."""

    def __init__(self, dsn: str, environment: str, release: str, redact: Redaction) -> None:
        import sentry_sdk

        def scrub(event: "SentryEvent", _hint: "Hint") -> "SentryEvent":
            scrubbed: SentryEvent = _without_secrets(event, redact)
            return scrubbed

        self._redact = redact
        self._sdk = sentry_sdk
        sentry_sdk.init(
            dsn=dsn,
            environment=environment,
            release=release,
            before_send=scrub,
            default_integrations=False,
            include_local_variables=False,
            max_breadcrumbs=0,
            server_name="",
        )

    def __call__(self, event: Event) -> None:
        if event.level < Level.ERROR:
            return
        # Redact first: the library truncates long texts, and half a secret is no longer recognised.
        fields: Any = plain(event.fields, lambda value: self._redact(str(value)))
        self._sdk.capture_event(
            {
                "level": "error",
                "logger": "waldur_slurm",
                "logentry": {"message": event.name},
                "fingerprint": [event.name],
                "extra": fields,
            }
        )

    def close(self) -> None:
        self._sdk.flush(timeout=_FLUSH_SECONDS)


def _without_secrets(value: Any, redact: Redaction) -> Any:
    match value:
        case str():
            return redact(value)
        case Mapping():
            return {key: _without_secrets(item, redact) for key, item in value.items()}
        case list() | tuple():
            return [_without_secrets(item, redact) for item in value]
        case _:
            return value
