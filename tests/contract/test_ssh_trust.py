"""Over ssh nobody is believed unseen, and who is not let in is told what is missing."""

import socket
import time
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from sandbox.slurm.daemons import user_name
from sandbox.ssh import SshServer, make_key
from tests.contract.over_ssh import HERE, over_ssh, refusal
from waldur_slurm.errors import NotLetIn, SettingsError, TransportError
from waldur_slurm.slurm.transports.ssh import SshTransport
from waldur_slurm.slurm.transports.ssh_master import HostKey, KeyFile, KeyText, KnownHosts

pytestmark = pytest.mark.usefixtures("rooms")


def test_an_unknown_host_is_refused_with_the_line_that_is_missing_and_its_file(
    shared_sshd: SshServer, tmp_path: Path
) -> None:
    empty = tmp_path / "known_hosts"
    empty.write_text("")
    said = refusal(over_ssh(shared_sshd, host_keys=KnownHosts(empty)))
    assert f"add the line '[{HERE}]:{shared_sshd.port} KEY' to {empty}" in said
    assert "/etc/ssh/ssh_host_ed25519_key.pub" in said
    assert empty.read_text() == ""


def test_the_line_that_the_message_asks_for_lets_the_host_be_known(
    shared_sshd: SshServer, tmp_path: Path
) -> None:
    known = tmp_path / "known_hosts"
    known.write_text("")
    with closing(over_ssh(shared_sshd, host_keys=KnownHosts(known))) as transport:
        with pytest.raises(TransportError) as failed:
            transport.run(("true",))
        line = str(failed.value).partition("the line '")[2].partition("'")[0]
        known.write_text(line.replace("KEY", shared_sshd.host_key))
        assert transport.run(("true",)).code == 0


def test_a_host_with_another_key_is_refused_with_the_line_that_says_otherwise(
    shared_sshd: SshServer, tmp_path: Path
) -> None:
    other = make_key(tmp_path / "other")
    known = tmp_path / "known_hosts"
    line = f"[{HERE}]:{shared_sshd.port} {other.with_suffix('.pub').read_text()}"
    known.write_text(f"# ours\n{line}")
    said = refusal(over_ssh(shared_sshd, host_keys=KnownHosts(known)))
    assert f"another key than line 2 of {known}" in said


def test_the_hosts_own_key_may_be_given_instead_of_a_file(
    shared_sshd: SshServer, tmp_path: Path
) -> None:
    given = HostKey(shared_sshd.host_key)
    with closing(over_ssh(shared_sshd, host_keys=given)) as transport:
        assert transport.run(("true",)).code == 0
    other = HostKey(make_key(tmp_path / "other").with_suffix(".pub").read_text())
    said = refusal(over_ssh(shared_sshd, host_keys=other))
    assert "another key than the key given for it" in said
    assert "ssh_host_ed25519_key.pub" in refusal(over_ssh(shared_sshd, host_keys=HostKey("")))


def test_a_file_that_is_not_there_is_named(shared_sshd: SshServer, tmp_path: Path) -> None:
    missing = tmp_path / "none"
    assert f"looked up in {missing}" in refusal(
        over_ssh(shared_sshd, host_keys=KnownHosts(missing))
    )
    assert f"private key should be in {missing}" in refusal(
        over_ssh(shared_sshd, key=KeyFile(missing))
    )


def test_a_key_that_the_host_does_not_take_is_named(shared_sshd: SshServer, tmp_path: Path) -> None:
    other = make_key(tmp_path / "other")
    said = refusal(over_ssh(shared_sshd, key=KeyFile(other)))
    assert f"does not let {user_name()} in by key {other}: add the public key" in said


def test_that_one_key_is_not_taken_is_told_apart_from_what_shuts_all_out(
    shared_sshd: SshServer, tmp_path: Path
) -> None:
    nobody = tmp_path / "known_hosts"
    nobody.write_text("")
    for key in (KeyFile(make_key(tmp_path / "other")), KeyText("no key")):
        with closing(over_ssh(shared_sshd, key=key)) as transport, pytest.raises(NotLetIn):
            transport.run(("true",))
    unknown = over_ssh(shared_sshd, host_keys=KnownHosts(nobody))
    with closing(unknown) as transport, pytest.raises(TransportError) as failed:
        transport.run(("true",))
    assert not isinstance(failed.value, NotLetIn)


def test_a_key_with_a_passphrase_or_of_no_known_form_is_told(
    shared_sshd: SshServer, tmp_path: Path
) -> None:
    locked = make_key(tmp_path / "locked", passphrase="open sesame")
    assert "passphrase is not used" in refusal(over_ssh(shared_sshd, key=KeyFile(locked)))
    assert "without a passphrase" in refusal(over_ssh(shared_sshd, key=KeyText("no key")))


def test_a_key_that_others_can_read_is_told(shared_sshd: SshServer, tmp_path: Path) -> None:
    loose = tmp_path / "loose"
    loose.write_bytes(shared_sshd.user_key.read_bytes())
    loose.chmod(0o644)
    assert "chmod 600" in refusal(over_ssh(shared_sshd, key=KeyFile(loose)))


def test_a_certificate_lets_a_key_in_that_the_host_has_never_seen(
    shared_sshd: SshServer, tmp_path: Path
) -> None:
    key = make_key(tmp_path / "certified")
    certificate = shared_sshd.sign(key, user_name())
    certificate = certificate.rename(tmp_path / "elsewhere.pub")
    for given in (
        KeyFile(key, certificate),
        KeyText(key.read_text(), certificate.read_text()),
    ):
        with closing(over_ssh(shared_sshd, key=given)) as transport:
            assert transport.run(("true",)).code == 0


def test_nobody_who_listens_is_told_as_such(sshd: SshServer) -> None:
    sshd.end()
    said = refusal(over_ssh(sshd))
    assert f"{user_name()}@{HERE}:{sshd.port}" in said
    assert "Connection refused" in said


def test_a_host_that_accepts_and_says_nothing_costs_a_bounded_time(shared_sshd: SshServer) -> None:
    with socket.socket() as mute:
        mute.bind((HERE, 0))
        mute.listen()
        transport = SshTransport(
            HERE,
            user=user_name(),
            port=mute.getsockname()[1],
            host_keys=HostKey(shared_sshd.host_key),
            key=KeyFile(shared_sshd.user_key),
            patience=timedelta(seconds=1),
        )
        began = time.monotonic()
        assert "timed out" in refusal(transport)
        assert time.monotonic() - began < 30


@pytest.mark.parametrize(
    ("host", "user", "port"),
    [
        ("-oProxyCommand=id", "u", 22),
        ("h\nProxyCommand id", "u", 22),
        ("h", "-l root", 22),
        ("h", "u\nPort 1", 22),
        ("h", "u", 0),
    ],
)
def test_what_would_be_an_option_or_a_line_of_configuration_is_refused(
    host: str, user: str, port: int
) -> None:
    with pytest.raises(SettingsError, match="is no"):
        SshTransport(host, user=user, port=port, host_keys=HostKey("k"), key=KeyFile(Path("/none")))
