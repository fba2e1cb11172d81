"""Ports are claimed, not guessed."""

import os
import socket

from sandbox.slurm.ports import BLOCK, FIRST, claim_ports


def test_a_claimed_block_is_given_to_nobody_else_until_its_claim_ends() -> None:
    """Of a block that others, who claim some at the same time, are not given by themselves."""
    apart = FIRST - BLOCK - os.getpid() % 50 * BLOCK
    first = claim_ports(3, prefer=apart)
    with first.claim:
        second = claim_ports(3, prefer=apart)
        second.claim.close()
    again = claim_ports(3, prefer=apart)
    again.claim.close()
    assert first.first == again.first == apart
    assert second.first != apart


def test_a_block_in_which_somebody_listens_is_passed_over() -> None:
    free = claim_ports(3)
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", free.first + 2))
        stranger.listen()
        free.claim.close()  # not before: other tests claim blocks as well
        chosen = claim_ports(3, prefer=free.first)
        chosen.claim.close()
    assert chosen.first != free.first
