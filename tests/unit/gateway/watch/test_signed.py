"""Signatures of epilogs, as openssl makes them, and which were seen already."""

import subprocess
from datetime import UTC, datetime, timedelta

from waldur_slurm.gateway.watch.signed import MOST_KEPT, WITHIN, Replays, is_recent, signature

NOW = datetime(2026, 11, 30, 9, tzinfo=UTC)


def test_a_signature_is_what_openssl_prints() -> None:
    printed = subprocess.run(
        ["/usr/bin/openssl", "dgst", "-sha256", "-hmac", "s" * 32],
        input=b'1796000000.{"job_id":1}',
        capture_output=True,
        check=True,
    ).stdout

    assert printed.split()[-1].decode() == signature("s" * 32, "1796000000", b'{"job_id":1}')


def test_each_is_new_once_and_no_list_of_them_grows_for_ever() -> None:
    replays = Replays()

    assert replays.is_new("aB", NOW)
    assert not replays.is_new("Ab", NOW)
    for number in range(MOST_KEPT):
        assert replays.is_new(str(number), NOW)
    later = NOW + 3 * WITHIN
    assert replays.is_new("0", later)


def test_what_is_forgotten_is_too_old_to_be_taken() -> None:
    replays, said = Replays(), NOW + WITHIN
    replays.is_new("a", NOW)

    forgotten_at = NOW + 2 * WITHIN + timedelta(seconds=1)

    assert not replays.is_new("a", NOW + 2 * WITHIN)
    assert not is_recent(str(int(said.timestamp())), forgotten_at)
