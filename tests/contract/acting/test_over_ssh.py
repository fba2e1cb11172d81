"""The hand on another host: one login user, a host that proves itself, a line that may break."""

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from threading import Thread

import pytest

from sandbox.slurm.keeper import descendants
from sandbox.ssh import SshServer, make_key
from tests.fixtures_hand import ANN, BOB, HandSite
from tests.fixtures_ssh import NewSshd
from tests.places import PROJECT
from tests.sandbox.processes import eventually
from waldur_slurm.errors import CannotStart, NotPermitted, TransportError
from waldur_slurm.hand.place import CONF
from waldur_slurm.slurm.transports.hands import PROGRAM
from waldur_slurm.slurm.transports.on_behalf import Behalf, OnBehalf
from waldur_slurm.slurm.transports.ssh_hand import SshHand
from waldur_slurm.slurm.transports.ssh_master import KeyFile, KnownHosts


@dataclass(frozen=True)
class Far:
    """A login host of the test's own, and Ann on it."""

    server: SshServer
    site: HandSite

    @contextmanager
    def ann(self, known_hosts: Path | None = None, key: Path | None = None) -> Iterator[Behalf]:
        with closing(
            SshHand(
                "127.0.0.1",
                user=ANN,
                port=self.server.port,
                host_keys=KnownHosts(known_hosts or self.server.known_hosts),
                key=KeyFile(key or self.server.user_key),
                program=self.site.program,
                conf=self.site.conf,
                most_at_once=4,
            )
        ) as hand:
            yield OnBehalf(hand, timeout=timedelta(seconds=20)).of(ANN)


@pytest.fixture
def far(sshd: SshServer, hand_site: HandSite) -> Far:
    return Far(sshd, hand_site)


def test_nobody_else_is_acted_as_and_nothing_is_asked_for_him(hand_site: HandSite) -> None:
    bob = OnBehalf(hand_site.hand("ssh", ANN)).of(BOB)

    with pytest.raises(NotPermitted, match=f"this gateway is {ANN} on 127.0.0.1, and acts as nob"):
        bob.files.look(str(hand_site.home(BOB)))


def test_a_host_that_is_not_known_is_not_spoken_to(far: Far, tmp_path: Path, home: str) -> None:
    nobody = tmp_path / "known_hosts"
    nobody.write_text("")
    stranger = tmp_path / "other_hosts"
    key = make_key(tmp_path / "other").with_suffix(".pub")
    stranger.write_text(f"[127.0.0.1]:{far.server.port} {key.read_text()}")

    for known_hosts, says in ((nobody, "is unknown"), (stranger, "shows another key")):
        with (
            far.ann(known_hosts) as ann,
            pytest.raises(CannotStart, match=f"the hand was not reached: .*{says}"),
        ):
            ann.files.look(home)


def test_a_key_that_does_not_open_it_says_so(far: Far, tmp_path: Path, home: str) -> None:
    with (
        far.ann(key=make_key(tmp_path / "other")) as ann,
        pytest.raises(CannotStart, match="does not let wsat-ann in"),
    ):
        ann.files.look(home)


def test_a_host_that_is_away_was_asked_nothing(far: Far, home: str) -> None:
    far.server.end()

    with far.ann() as ann, pytest.raises(CannotStart, match="the hand was not reached"):
        ann.files.look(home)


def test_what_login_scripts_say_is_not_taken_for_an_answer(
    new_sshd: NewSshd, hand_site: HandSite, home: str
) -> None:
    noise = "E" * 500
    forced = f'ForceCommand echo Welcome; echo {noise}; eval "$SSH_ORIGINAL_COMMAND"'
    with new_sshd(forced) as server, Far(server, hand_site).ann() as ann:
        assert ann.files.look(home) is not None
        ann.files.put(f"{home}/a", [b"x" * 3_000_000], most=4_000_000)
        taken = ann.files.take(f"{home}/a")
        assert sum(map(len, taken.content)) == 3_000_000


def test_a_key_that_is_bound_to_the_hand_opens_nothing_else(far: Far, home: str) -> None:
    """As `docs/hand.md` has it; whoever steals the key has what hand.conf gives, and no shell."""
    bound = f'restrict,command="{line_of_the_page(far.site)}"'
    key = far.server.user_key.with_suffix(".pub").read_text()
    (far.server.directory / "authorized_keys").write_text(f"{bound} {key}")

    with far.ann() as ann:
        ann.files.put(f"{home}/a", [b"x"], most=10)
        assert ann.files.look(f"{home}/a") is not None
    thief = ["ssh", "-F", "/dev/null", "-i", str(far.server.user_key), "-p", str(far.server.port)]
    thief += ["-o", f"UserKnownHostsFile={far.server.known_hosts}", "-o", "BatchMode=yes"]
    done = subprocess.run(
        [*thief, f"{ANN}@127.0.0.1", f"touch {home}/stolen"], input=b"", capture_output=True
    )

    assert done.stdout.startswith(b"slurm-gateway-hand:")
    assert sorted(each.name for each in Path(home).iterdir()) == ["a"]


def line_of_the_page(site: HandSite) -> str:
    """Return what the page binds a key to, with this site's places in place of the usual ones."""
    page = (PROJECT / "docs" / "hand.md").read_text(encoding="utf-8")
    found: str
    (found,) = re.findall(r'^restrict,command="([^"]+)"', page, re.MULTILINE)
    return found.replace(str(PROGRAM), str(site.program)).replace(CONF, str(site.conf))


def test_a_host_without_the_hand_says_what_is_missing(far: Far, home: str) -> None:
    bare = Far(far.server, HandSite(Path("/nonexistent")))

    with bare.ann() as ann, pytest.raises(TransportError, match="/nonexistent/hand"):
        ann.files.look(home)


def test_many_share_one_connection_and_none_is_turned_away(far: Far, home: str) -> None:
    with far.ann() as ann, ThreadPoolExecutor(16) as at_once:
        found = [*at_once.map(lambda _: ann.files.look(home), range(24))]

    assert None not in found


def test_a_connection_that_breaks_in_the_middle_leaves_it_unknown_and_the_next_one_stands(
    far: Far, home: str
) -> None:
    """The user's sbatch had begun: it may have handed the job in."""
    tools = far.site.directory / "bin"
    tools.mkdir(exist_ok=True)
    (tools / "sbatch").write_text(f"#!/bin/sh\ntouch {home}/begun; sleep 5; touch {home}/ended\n")
    (tools / "sbatch").chmod(0o755)
    far.site.write_conf(slurm_bin=str(tools))
    errors: list[Exception] = []

    def submit(ann: Behalf) -> None:
        try:
            ann.commands.run(("sbatch",))
        except TransportError as error:
            errors.append(error)

    with far.ann() as ann:
        thread = Thread(target=submit, args=[ann])
        thread.start()
        assert eventually(Path(home, "begun").exists, 10)
        for pid in descendants(far.server.pid):
            if "sshd" in Path(f"/proc/{pid}/comm").read_text():
                os.kill(pid, signal.SIGKILL)
        thread.join(10)
        (error,) = errors
        assert not isinstance(error, CannotStart)
        assert "the hand did not answer" in str(error)

        assert ann.files.look(home) is not None


def test_a_connection_that_was_closed_leaves_nothing_behind(
    far: Far, home: str, rooms: Path
) -> None:
    with far.ann() as ann:
        ann.files.look(home)
        assert [*rooms.iterdir()] != []
    assert [*rooms.iterdir()] == []
