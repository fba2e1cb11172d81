"""The executor's readers understand what Python's do, refuse all else, and never step aside.

They are run under AddressSanitizer and UndefinedBehaviorSanitizer, whose complaint ends them.
"""

import json
import re
import struct
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from random import Random

import pytest

from tests.fixtures_executor import (
    ALICE,
    LISTED,
    SANITIZED,
    SOURCES,
    ExecutorSite,
    install,
    open_site_directory,
    request,
    run,
)
from tests.fixtures_slurm import IN_CI, require

MOST_ARGS = 1024
TRIES = 30_000
TOKENS = [
    b'"', b"\\", b"{", b"}", b"[", b"]", b":", b",", b"null", b"\0", b"\\u0000", b"\\ud83d",
    b"\\ude00", b"\\ud83d\\ude00", b"\\u00e9", b"\\n", b"\\x", b" ", b"\n", b"\x7f", b"\x1f",
    b"\xc3\xa9", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xf0\x9f\x98\x80",
    b"\xe0\x80", b"\xef\xbb\xbf", b'"user"', b'"command"', b'"args"', b'"dir"', b'"stdin"', b'"x"',
    b"1", b"true",
]  # fmt: skip
SEEDS = [
    request("alice", "id").encode(),
    request("alice", "sh", "-c", "pwd; cat", dir="/home/alice", stdin="hello\n").encode(),
    b'{"user":"\\u0061lice","command":"\\ud83d\\ude00","args":null,"dir":"","stdin":"\xc3\xa9\\/"}',
    b' {\t"command" : "a" ,\r\n"user" : "b" , "args" : [ "x" , "" ] } ',
]
LISTS = [b'# words\n\n/usr/bin/id\n/usr/bin/env ""\n', b"/bin/sh\n/usr/bin/id", b'/usr/bin/id ""\n']
LIST_TOKENS = [b"/", b"..", b"/.", b"//", b"\n", b"\0", b' ""', b'"', b" ", b"#", b"id", b"/id"]


def build_readers(directory: Path) -> Path:
    """Build the readers with the sanitizers, as strictly as the executor itself."""
    program = directory / "readers"
    warnings = ("-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion", "-Werror")
    sources = (Path(__file__).with_name("readers.c"), *(SOURCES / f"{name}.c" for name in USED))
    flags = ("-std=c11", "-D_GNU_SOURCE", *warnings, *SANITIZED.split(), f"-I{SOURCES}")
    done = run("cc", *flags, *sources, "-o", program)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return program


USED = ("request", "list", "say")


@pytest.fixture(scope="module")
def readers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    require([] if run("sh", "-c", "command -v cc").returncode == 0 else ["cc"], in_ci=IN_CI)
    return build_readers(tmp_path_factory.mktemp("readers"))


def read_all(readers: Path, kind: bytes, inputs: Iterable[bytes]) -> list[str]:
    """Return what was understood of each."""
    frames = b"".join(kind + struct.pack("<I", len(each)) + each for each in inputs)
    done = subprocess.run((readers,), input=frames, capture_output=True, timeout=240)
    assert (done.returncode, done.stderr) == (0, b""), done.stderr.decode()[:2000]
    return done.stdout.decode().splitlines()


def mutated(random: Random, seeds: list[bytes], tokens: list[bytes]) -> bytes:
    """Return a seed with a few things put in, taken out, copied or turned over."""
    text = bytearray(random.choice(seeds))
    for _ in range(random.choice((0, 1, 1, 2, 3, 8))):
        at, end = sorted(random.randrange(len(text) + 1) for _ in range(2))
        match random.randrange(5):
            case 0:
                text[at:at] = random.choice(tokens)
            case 1:
                del text[at : min(end, at + 6)]
            case 2:
                text[at:at] = text[at:end]
            case 3 if text:
                text[at % len(text)] ^= 1 << random.randrange(8)
            case _:
                text[at:end] = random.choice(tokens) if random.randrange(9) == 0 else text[at:end]
    return bytes(text)


def hexed(name: str, text: str | None) -> str:
    return f" {name}={'-' if text is None else text.encode().hex()}"


def understood(data: bytes) -> str | None:
    """Say what a request means to Python's reader, with the executor's bounds; None: nothing."""
    try:
        found = json.loads(data.decode("utf-8"), object_pairs_hook=once)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or not {"user", "command"} <= found.keys():
        return None
    args = found.pop("args", None) or []
    if not isinstance(args, list) or len(args) > MOST_ARGS:
        return None
    if found.keys() - {"user", "command", "dir", "stdin"}:
        return None
    if not all(isinstance(each, str) and is_text(each) for each in [*args, *found.values()]):
        return None
    fields = "".join(hexed(name, found.get(name)) for name in ("user", "command", "dir", "stdin"))
    return f"ok{fields}{''.join(hexed('arg', each) for each in args)}"


def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs) or found.get("args", []) in ("", {}, 0, False):
        raise ValueError("a key is there twice, or args are something empty")
    return found


def is_text(text: str) -> bool:
    return "\0" not in text and not re.search("[\ud800-\udfff]", text)


def test_requests_are_understood_as_python_understands_them(readers: Path) -> None:
    random = Random(18)  # noqa: S311 - the same inputs each time
    inputs = [b"", *SEEDS, *(mutated(random, SEEDS, TOKENS) for _ in range(TRIES))]

    read = read_all(readers, b"R", inputs)

    assert len(read) == len(inputs)
    differing = [
        (data, said)
        for data, said in zip(inputs, read, strict=True)
        if (said if said.startswith("ok") else None) != understood(data)
    ]
    assert differing == []
    assert sum(said.startswith("ok") for said in read) > TRIES // 20
    assert len({said for said in read if said.startswith("no")}) == len(REFUSALS)


REFUSALS = set(
    re.findall(r'refuse\("([^"]+)"\)', (SOURCES / "request.c").read_text(encoding="utf-8"))
) - {"there are too many args"}


@pytest.mark.parametrize(("count", "is_read"), [(MOST_ARGS, True), (MOST_ARGS + 1, False)])
def test_there_are_so_many_args_and_no_more(readers: Path, count: int, is_read: bool) -> None:
    (said,) = read_all(readers, b"R", [request("a", "b", *["x"] * count).encode()])

    assert said.startswith("ok") == is_read


def test_lists_are_understood_line_by_line(readers: Path) -> None:
    random = Random(18)  # noqa: S311 - the same inputs each time
    inputs = [b"", *LISTS, *(mutated(random, LISTS, LIST_TOKENS) for _ in range(TRIES))]

    read = read_all(readers, b"L", inputs)

    assert [each for each in read if each.startswith("ok")]
    for data, said in zip(inputs, read, strict=True):
        assert (said.removeprefix("ok ") if said.startswith("ok") else None) == path_in(data), data


LINE = re.compile(rb'(/(?!\.{1,2}(?:[/ ]|$))[!#-.0-~]+)+(?P<bare> "")?', re.ASCII)


def path_in(data: bytes) -> str | None:
    """Return the one path of a list that is called id and may have arguments."""
    lines = [line for line in data.split(b"\n") if line and not line.startswith(b"#")]
    found = [LINE.fullmatch(line) for line in lines]
    meant = [each for each in found if each and each[0].removesuffix(b' ""').endswith(b"/id")]
    if b"\0" in data or None in found or len(meant) != 1 or meant[0]["bare"]:
        return None
    return meant[0][0].decode()


@pytest.fixture(scope="module")
def sanitized() -> Iterator[ExecutorSite]:
    """The executor itself, whole, under the sanitizers."""
    with open_site_directory() as directory:
        site = install(directory, cflags=f"{SANITIZED} -Werror")
        site.allow(*LISTED)
        yield site


def test_the_whole_executor_runs_clean_on_requests_that_are_odd(sanitized: ExecutorSite) -> None:
    random = Random(18)  # noqa: S311 - the same inputs each time
    odd = [mutated(random, SEEDS, TOKENS) for _ in range(150)]
    ended = [
        sanitized.run("--stdin", stdin=each.decode("utf-8", "replace"), environ=NO_LEAKS)
        for each in odd
    ]

    assert {done.returncode for done in ended} <= {0, 1, 2, 6}
    assert not [
        done.stderr for done in ended if "anitizer" in done.stderr or "rror:" in done.stderr
    ]


NO_LEAKS = {"ASAN_OPTIONS": "detect_leaks=0"}
"""Looking for leaks needs rights that a process which cannot be looked into does not give."""


@pytest.mark.parametrize("words", [("--user", ALICE, "--command", "id -u"), ("--stdin",)])
def test_the_whole_executor_runs_clean_on_what_is_asked(
    sanitized: ExecutorSite, words: tuple[str, ...]
) -> None:
    asked = request(ALICE, "id", "-u", stdin="x" * 300_000, dir="/")
    done = sanitized.run(*words, stdin=asked, environ=NO_LEAKS)

    assert (done.returncode, done.stdout, done.stderr) == (0, "2001\n", "")
