"""Where the gateway listens, and who is let in by what. Pure judgements over what was read."""

from collections.abc import Collection, Iterator

from waldur_slurm.errors import ExpectedError
from waldur_slurm.gateway.check.facts import DoorFacts, Facts, ListenerFacts
from waldur_slurm.gateway.doors.networks import TrustedNetwork
from waldur_slurm.gateway.doors.scopes import MEANING, Scope, widened
from waldur_slurm.model.counting import counted
from waldur_slurm.service.check.findings import Finding, failed, fine, unknown, warning

HARMLESS = frozenset({Scope.CLUSTER_READ})
"""What tells of no person."""


def judge_doors(facts: Facts) -> Iterator[Finding]:
    for listener in facts.listeners:
        yield _judge_listener(listener)
    certificate = facts.certificate
    if isinstance(certificate, ExpectedError):
        yield failed(
            "TLS",
            str(certificate),
            "give the gateway's user a PEM file with the certificate, its chain and the key:"
            " GATEWAY_TLS_CERTIFICATE, GATEWAY_TLS_KEY",
        )
    elif certificate is not None:
        yield fine("TLS", certificate)
    yield from _judge_strangers(facts.doors)
    yield _judge_tokens(facts.doors)
    if facts.doors.has_issuer:
        yield _judge_issuer(facts.doors.issuer)


def _judge_listener(listener: ListenerFacts) -> Finding:
    subject = f"listening at {listener.address}"
    if isinstance(listener.found, ExpectedError):
        return failed(
            subject,
            str(listener.found),
            "see who has it (ss -ltnp), or set GATEWAY_LISTEN to an address of this host that is"
            " free",
        )
    if listener.is_open:
        return warning(
            subject,
            "tokens and answers travel unencrypted there",
            "set GATEWAY_TLS_CERTIFICATE, or listen at 127.0.0.1 behind a proxy that has TLS",
        )
    return fine(subject, listener.found)


def _judge_strangers(doors: DoorFacts) -> Iterator[Finding]:
    subject = "without a token"
    if doors.anonymous:
        found = f"everybody who reaches the gateway may {_deeds(doors.anonymous)}"
        if doors.anonymous <= HARMLESS:
            yield fine(subject, found)
        else:
            yield warning(
                subject,
                f"{found}; behind a proxy that is everybody it lets through",
                "leave that to tokens, and out of GATEWAY_ANONYMOUS_SCOPES, unless it is meant",
            )
    for network in doors.networks:
        yield _judge_network(subject, network)
    if not doors.anonymous and not doors.networks:
        yield fine(subject, "nobody may do anything")


def _judge_network(subject: str, network: TrustedNetwork) -> Finding:
    deeds = _deeds(network.scopes)
    if network.network.is_loopback:
        return fine(subject, f"{network.network}: each user of this machine, as himself: {deeds}")
    actors = f", as {network.run_as}" if str(network.run_as) else ""
    found = f"{network.network}: every program there may {deeds}{actors}"
    if network.scopes <= HARMLESS:
        return fine(subject, found)
    return warning(
        subject,
        found,
        "name hosts of which you know every user, or leave the network out of"
        " GATEWAY_TRUSTED_NETWORKS and give its clients tokens",
    )


def _deeds(scopes: Collection[Scope]) -> str:
    """Say what they allow, leaving out what another one holds."""
    held = {each for scope in scopes for each in widened({scope}) - {scope}}
    return "; ".join(MEANING[scope] for scope in Scope if scope in scopes and scope not in held)


def _judge_tokens(doors: DoorFacts) -> Finding:
    subject, tokens = "tokens", doors.tokens
    if tokens is None:
        return unknown(subject, "see GATEWAY_STATE_DIR")
    if isinstance(tokens, ExpectedError):
        return unknown(subject, "see database")
    is_shut = not (doors.anonymous or doors.networks or doors.has_issuer)
    if not tokens and is_shut:
        return warning(
            subject,
            "there is none, and no other way in: nobody can ask the gateway anything",
            "make one, as the gateway's user: slurm-gateway token make --name trial --scopes"
            " cluster:read,jobs:read:all --expires 1d",
        )
    return fine(subject, counted(tokens, "token is valid", "tokens are valid"))


def _judge_issuer(keys: int | ExpectedError) -> Finding:
    subject = "OpenID Connect"
    if isinstance(keys, ExpectedError):
        return failed(
            subject,
            str(keys),
            "set GATEWAY_OIDC_ISSUER to the issuer exactly as it calls itself, and see that this"
            " host reaches it: curl it with /.well-known/openid-configuration behind it",
        )
    if not keys:
        return failed(
            subject,
            "the issuer publishes no key that is taken",
            "let it sign with RSA of 2,048 bits, an elliptic curve or Ed25519, each key with a kid",
        )
    return fine(subject, f"the issuer publishes {counted(keys, 'key')}")
