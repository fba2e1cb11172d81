"""Can the gateway act as users, and through slurmrestd where a site wants it? Pure."""

from collections.abc import Iterator

from waldur_slurm.errors import ExpectedError
from waldur_slurm.gateway.check.facts import Facts, HandFacts
from waldur_slurm.service.check.findings import Finding, failed, fine, unknown

_SEE = "docs/hand.md has each line; GATEWAY_HAND, GATEWAY_HAND_SOCKET say where it lies"
REACHED_BY = {
    "sudo": "see that root has installed the hand and its sudoers line for this user, and"
    " slurm-gateway-acting.conf as the unit's drop-in: `sudo -l` as the gateway's user shows it;"
    f" {_SEE}",
    "socket": "see that the socket is there and the hand's service runs: systemctl enable --now"
    f" slurm-gateway-hand.socket; only the gateway's user may connect; {_SEE}",
    "setuid": "see that the executor is installed for this user, and that its list holds the hand"
    f" alone: executor/README.md; GATEWAY_SETUID_PROGRAM says where it lies; {_SEE}",
    "ssh": "see that SSH_HOSTNAME and GATEWAY_SSH_PORT lead to an sshd that lets SSH_USERNAME in by"
    " SSH_PRIVATE_KEY_PATH, that GATEWAY_SSH_KNOWN_HOSTS has its key, and that the hand and its"
    " hand.conf are there: docs/hand.md, By ssh",
    "self": "see that GATEWAY_HAND is the hand and GATEWAY_HAND_CONF a hand.conf of this user's:"
    " make hand, and docs/hand.md",
}


def judge_acting(facts: Facts) -> Iterator[Finding]:
    hand = facts.hand
    if hand is None:
        yield fine("executor", "none: the gateway only reads")
        return
    yield _judge_hand(hand)
    if facts.slurmrestd is not None:
        yield _judge_slurmrestd(hand, facts.slurmrestd)


def _judge_hand(hand: HandFacts) -> Finding:
    subject = "executor"
    if not hand.user:
        advice = (
            "list users in hand.conf, and who is the caller; where it lies elsewhere than"
            " /etc/slurm-gateway/hand.conf name somebody to try: check --as USER"
        )
        return failed(subject, hand.why_nobody, advice)
    if isinstance(hand.answer, ExpectedError):
        advice = REACHED_BY[hand.executor]
        return failed(subject, f"as {hand.user}, by {hand.executor}: {hand.answer}", advice)
    return fine(subject, f"{hand.executor}: {hand.answer}")


def _judge_slurmrestd(hand: HandFacts, answer: ExpectedError | str) -> Finding:
    subject = "slurmrestd"
    if not isinstance(answer, ExpectedError):
        return fine(subject, answer)
    if not hand.user or isinstance(hand.answer, ExpectedError):
        return unknown(subject, "see executor")
    return failed(
        subject,
        str(answer),
        "see that slurmrestd runs at GATEWAY_SLURMRESTD_URL, and that slurm.conf has"
        " AuthAltTypes=auth/jwt with a key; or take GATEWAY_CONNECTOR away: Slurm's commands do"
        " without it",
    )
