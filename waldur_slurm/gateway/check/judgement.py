"""The gateway's `check`: everything that was found, in the order in which to mend it. Pure."""

from collections.abc import Iterator

from waldur_slurm.errors import ExpectedError
from waldur_slurm.gateway.check.acting import judge_acting
from waldur_slurm.gateway.check.doors import judge_doors
from waldur_slurm.gateway.check.facts import Facts, SinkFacts
from waldur_slurm.gateway.check.slurm import judge_cluster
from waldur_slurm.service.check.findings import Finding, failed, fine, warning


def judge(facts: Facts) -> tuple[Finding, ...]:
    clusters = (
        finding for each in facts.clusters for finding in judge_cluster(each, facts.settings)
    )
    return (
        *_judge_settings(facts),
        *_judge_places(facts),
        *_judge_store(facts),
        _judge_reading(facts),
        *clusters,
        *judge_acting(facts),
        *judge_doors(facts),
        *_judge_sinks(facts),
    )


def _judge_settings(facts: Facts) -> Iterator[Finding]:
    told = facts.settings
    advice = f"correct it in {told.env_file or 'the environment'}"
    yield from (warning("settings", text, advice) for text in told.warnings)
    wanted = told.unit_user if told.unit_user not in ("", told.user) else ""
    if wanted or told.is_root:
        yield warning(
            "user",
            f"this is {told.user}, and the gateway is not: what one may, the other may not",
            f"type it as the gateway's user: sudo -u {wanted or 'slurm-gateway'} slurm-gateway"
            f"{f' --env-file {told.env_file}' if told.env_file else ''} check",
        )
    elif not told.warnings:
        yield fine("settings", f"complete, for {told.user}")


def _judge_places(facts: Facts) -> Iterator[Finding]:
    for variable, how in facts.places.items():
        if isinstance(how, str):
            yield fine(variable, how)
        else:
            rather = f"{how.cure}, or " if how.cure else ""
            yield failed(variable, how.found, f"{rather}set {variable} to another place")


def _judge_store(facts: Facts) -> Iterator[Finding]:
    database, secret = facts.database, facts.secret
    if isinstance(database, ExpectedError):
        yield failed(
            "database",
            str(database),
            "stop the gateway and put a backup of GATEWAY_STATE_DIR in its place, or install the"
            " release again that wrote it",
        )
    else:
        yield fine("database", database or "there is none yet; the first start makes it")
    if isinstance(secret, ExpectedError):
        advice = "make it the gateway's user's, mode 0600; one that is lost is in the backup"
        yield failed("secret of tokens", str(secret), advice)
    elif not secret and facts.doors.tokens and not isinstance(facts.doors.tokens, ExpectedError):
        yield failed(
            "secret of tokens",
            "it is missing, and no token is known without it",
            "put token-secret of the backup into GATEWAY_STATE_DIR, or revoke all tokens and make"
            " new ones",
        )
    else:
        yield fine("secret of tokens", "it is there" if secret else "the first token makes it")


def _judge_reading(facts: Facts) -> Finding:
    subject = "reading"
    if isinstance(facts.reading, ExpectedError):
        return failed(
            subject,
            str(facts.reading),
            "see that SSH_PRIVATE_KEY_PATH lets SSH_USERNAME in at SSH_HOSTNAME, by a line of his"
            " authorized_keys without command=; where this host has Slurm's commands, set"
            " GATEWAY_SSH_READING=false: docs/hand.md, By ssh",
        )
    return fine(subject, facts.reading)


def _judge_sinks(facts: Facts) -> Iterator[Finding]:
    for sink in facts.sinks:
        yield _judge_sink(sink)
    if not facts.sinks:
        yield fine("letters", "no way is set: nobody is told anything")


def _judge_sink(sink: SinkFacts) -> Finding:
    subject = f"letters by {sink.method}"
    if isinstance(sink.answer, ExpectedError):
        return failed(subject, str(sink.answer), sink.advice)
    return fine(subject, sink.answer)
