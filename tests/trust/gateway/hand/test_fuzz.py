"""Whatever is asked outside of the grammar is refused, and nothing runs."""

import json
import random
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures_hand import ANN, HandSite
from tests.trust.hostile import TEXTS
from tests.trust.size import SEED, count, size
from waldur_slurm.hand import wire
from waldur_slurm.hand.errors import Refused
from waldur_slurm.hand.options import checked_argv
from waldur_slurm.hand.requests import Request, Slurm, Who, parse_request

HOME = "/home/ann"
ASKED: tuple[dict[str, Any], ...] = (
    {"verb": "slurm", "argv": ["sbatch", "--parsable", "--time=1:00:00"], "environ": {"TZ": "UTC"},
     "variables": {"A": "b"}, "timeout_s": 30},
    {"verb": "slurm", "argv": ["scancel", "--signal=TERM", "12_[1-3]"], "environ": {},
     "variables": None, "timeout_s": 30},
    {"verb": "slurm", "argv": ["scontrol", "update", "JobId=12", "Comment=x"], "environ": {},
     "variables": None, "timeout_s": 30},
    {"verb": "make", "path": f"{HOME}/d", "mode": 0o700, "parents": True},
    {"verb": "put", "path": f"{HOME}/f", "mode": 0o600, "most": 100, "replace": False},
    {"verb": "take", "path": f"{HOME}/f", "offset": -5, "length": None},
    {"verb": "list", "path": HOME, "depth": 3, "most": 100},
    {"verb": "stat", "path": f"{HOME}/f"},
    {"verb": "zip-out", "path": HOME, "most": 100, "compress": True},
    {"verb": "zip-in", "path": HOME, "most": 100, "most_entries": 10},
    {"verb": "remove", "path": f"{HOME}/d", "keep": ["batch.sh"]},
    {"verb": "who"},
)  # fmt: skip
ODD: tuple[Any, ...] = (
    *TEXTS, None, True, -1, 0, 2**70, 1.5, [], {}, [[]], {"": ""}, ["sbatch", "--uid=0"],
    "/bin/sh", "/etc/../etc/passwd", f"{HOME}/../bob", "\udcff", "\ud800", "sbatch", "--wrap=id",
)  # fmt: skip


class Fuzzer:
    """Requests that are nearly right: one to three things in them are something else."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - no secret

    def request(self) -> bytes:
        value = json.loads(json.dumps({"user": ANN, **self._random.choice(ASKED)}))
        for _ in range(self._random.randint(1, 3)):
            self._change(value)
        return self._bytes(json.dumps(value).encode())

    def _change(self, value: dict[str, Any]) -> None:
        keys = [*value]
        chance = self._random.random()
        if chance < 0.1 and keys:
            del value[self._random.choice(keys)]
        elif chance < 0.2:
            value[str(self._odd())] = self._odd()
        elif chance < 0.3:
            value["verb"] = self._random.choice(ASKED)["verb"]
        elif keys:
            key = self._random.choice(keys)
            value[key] = self._inside(value[key]) if chance < 0.7 else self._odd()

    def _inside(self, value: Any) -> Any:
        """Change a part of a list, an object or a text."""
        if isinstance(value, list) and value:
            at = self._random.randrange(len(value))
            return [*value[:at], self._odd(), *value[at + self._random.randint(0, 1) :]]
        if isinstance(value, dict):
            return {**value, str(self._odd()): self._odd()}
        if isinstance(value, str):
            at = self._random.randint(0, len(value))
            return f"{value[:at]}{self._odd()}{value[at:]}"
        return self._odd()

    def _odd(self) -> Any:
        return self._random.choice(ODD)

    def _bytes(self, data: bytes) -> bytes:
        if self._random.random() > 0.05:
            return data
        at = self._random.randrange(len(data))
        return data[:at] + self._random.randbytes(self._random.randint(0, 3)) + data[at + 1 :]


def read(payload: bytes) -> Request | None:
    try:
        return parse_request(payload)
    except Refused:
        return None


def test_what_is_obeyed_is_in_the_grammar_and_all_else_is_refused() -> None:
    fuzzer, tried = Fuzzer(SEED), size(100_000, 2_000_000)
    understood = 0
    for _ in range(tried):
        request = read(fuzzer.request())
        if request is None:
            continue
        understood += 1
        if isinstance(request.act, Slurm):
            assert checked_argv(request.act.argv) == request.act.argv
            assert not any("\0" in word for word in request.act.argv)
        elif not isinstance(request.act, Who):
            assert not {b"", b".", b".."} & {*request.act.path}
            assert not any({0, ord("/")} & {*name} for name in request.act.path)

    assert 0 < understood < tried / 2
    count("request to the hand, read in one process", tried)


@pytest.fixture
def tripwire(hand_site: HandSite) -> HandSite:
    """A site where every tool leaves a mark when it is run."""
    directory = hand_site.directory / "bin"
    directory.mkdir(exist_ok=True)
    for name in ("sbatch", "scancel", "scontrol"):
        tool = directory / name
        tool.write_text(f'#!/bin/sh\necho "$0 $@" >> {hand_site.home(ANN)}/ran\n')
        tool.chmod(0o755)
    hand_site.write_conf(slurm_bin=str(directory))
    return hand_site


def conversation(payload: bytes, number: int) -> bytes:
    """A request and its body; sometimes cut off, sometimes no conversation at all."""
    whole = (
        wire.framed(wire.REQUEST, payload) + wire.framed(wire.DATA, b"x") + wire.framed(wire.END)
    )
    return (whole, whole, whole[:-3], payload, wire.framed(wire.DATA, payload))[number % 5]


def test_a_started_hand_runs_nothing_that_is_outside(tripwire: HandSite) -> None:
    fuzzer, starts = Fuzzer(SEED + 1), size(25, 300)
    done = 0
    while done < starts:
        payload = fuzzer.request()
        if read(payload) is not None:
            continue
        sent = conversation(payload, done)
        argv = (tripwire.directory / f"as-{ANN}", "self", tripwire.conf)
        ended = subprocess.run(argv, input=sent, capture_output=True, check=False, timeout=30)
        frames = [*wire.Frames(b"FDSE").cut(ended.stdout)]
        outcomes = [json.loads(data)["outcome"] for kind, data in frames if kind == wire.END]
        assert outcomes in ([], [wire.REFUSED])
        assert [kind for kind, _ in frames] == [wire.END] * len(outcomes)
        assert ended.stderr == b""
        done += 1

    assert not [*tripwire.home(ANN).iterdir()]
    count("start of the hand with something that is no request", starts)


def test_half_a_script_is_not_run(tripwire: HandSite) -> None:
    """A client that dies while it sends must not have submitted what had come."""
    request = {"user": ANN, **ASKED[0]}
    sent = wire.framed_json(wire.REQUEST, request) + wire.framed(wire.DATA, b"#!/bin/sh\n")
    argv = (tripwire.directory / f"as-{ANN}", "self", tripwire.conf)

    ended = subprocess.run(argv, input=sent, capture_output=True, check=False, timeout=30)

    assert (ended.returncode, ended.stdout) == (1, b"")
    assert not (tripwire.home(ANN) / "ran").exists()
    subprocess.run(argv, input=sent + wire.framed(wire.END), check=True, timeout=30)
    assert (tripwire.home(ANN) / "ran").read_text().startswith(str(Path(tripwire.directory, "bin")))
