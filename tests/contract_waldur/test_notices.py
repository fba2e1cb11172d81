"""What the marketplace has to say for itself, and how loud the log says it."""

import io
import logging

from sandbox.waldur import Waldur
from sandbox.waldur.faults import Fault
from tests.fixtures_waldur import StartWaldur
from waldur_slurm.agent.composition import Parts
from waldur_slurm.agent.settings import Settings
from waldur_slurm.service.signals import listening


def logged_by_registering(waldur: Waldur, command: str | None = None) -> list[str]:
    environ = {
        "WALDUR_API_URL": waldur.url,
        "WALDUR_API_TOKEN": waldur.tokens.provider,
        "WALDUR_OFFERING_UUID": waldur.offering_uuid,
        "WALDUR_SYNC_DIRECTION": "pull",
    }
    log, root = io.StringIO(), logging.getLogger()
    before = root.handlers[:], root.level
    try:
        with listening() as signals:
            settings = Settings.from_environ(environ)
            parts = Parts(settings, environ, signals, log, command=command)
            parts.marketplace.register_agent("1.0.0", "pull")
            parts.close()
    finally:
        root.handlers[:], level = before
        root.setLevel(level)
        logging.captureWarnings(capture=False)
    return [" ".join(line.split()[1:3]) for line in log.getvalue().splitlines()]


def test_only_what_went_wrong_is_a_warning(start_waldur: StartWaldur) -> None:
    waldur = start_waldur("today")
    assert logged_by_registering(waldur) == ["INFO waldur.dialect_found"]

    waldur.fault(Fault("* marketplace-site-agent-identities/", "status", value=403))
    assert logged_by_registering(waldur) == [
        "INFO waldur.dialect_found",
        "WARNING waldur.registration_failed",
    ]


def test_whoever_types_a_command_is_told_what_went_wrong_only(start_waldur: StartWaldur) -> None:
    waldur = start_waldur("today")
    waldur.fault(Fault("* marketplace-site-agent-identities/", "status", value=403))

    assert logged_by_registering(waldur, "once") == ["WARNING waldur.registration_failed"]
