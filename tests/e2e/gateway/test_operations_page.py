"""What `docs/gateway-operations.md` gives to type, typed to the letter."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from tests.page import read_blocks
from tests.places import PROJECT

PAGE = PROJECT / "docs" / "gateway-operations.md"
BLOCKS = {(each.section, each.language): each.lines for each in read_blocks(PAGE)}
TOKENS, PEOPLE = ("Who may do what", "bash"), ("Who may do what", "ini")
CHECK = ("Is all in order?", "bash")


def typed(directory: Path, line: str, **settings: str) -> str:
    """Type it on a machine of its own state; gives what is shown."""
    command = directory / "slurm-gateway"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m waldur_slurm.gateway.main "$@"\n')
    command.chmod(0o755)
    done = subprocess.run(
        ["/bin/bash", "-c", line],
        env={
            "PATH": f"{directory}:{os.defpath}",
            "PYTHONPATH": str(PROJECT),
            "GATEWAY_STATE_DIR": str(directory / "state"),
            **settings,
        },
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_each_block_of_the_page_is_typed_here() -> None:
    assert BLOCKS.keys() == {TOKENS, PEOPLE, CHECK}


def test_a_token_is_made_listed_rotated_and_revoked(tmp_path: Path) -> None:
    make, listed, rotate, revoke = BLOCKS[TOKENS]
    example = r"\bb8cpzk5v\b"

    text = typed(tmp_path, make).strip()
    (name,) = re.findall(r"^sgw_(\w{8})_\w", text)
    assert name in typed(tmp_path, listed)
    assert typed(tmp_path, re.sub(example, name, rotate)).startswith("sgw_")
    typed(tmp_path, re.sub(example, name, revoke))

    (told,) = [line for line in typed(tmp_path, listed).splitlines() if name in line]
    assert "over since" in told


def test_the_lines_for_people_are_settings_that_are_taken(tmp_path: Path) -> None:
    settings = "; ".join(f"export {line}" for line in BLOCKS[PEOPLE])

    told = json.loads(typed(tmp_path, f"{settings}; slurm-gateway settings --json"))

    assert told["warnings"] == []
    for line in BLOCKS[PEOPLE]:
        name, _, value = line.partition("=")
        assert sorted(told["settings"][name].split()) == sorted(value.strip('"').split())


def test_check_is_the_line_that_a_head_node_is_tried_with() -> None:
    """`tests/packaging/test_gateway_head_node.py` types that one, on a real machine."""
    (line,) = BLOCKS[CHECK]
    tried = [each.lines for each in read_blocks(PROJECT / "docs" / "gateway.md")]
    assert line in {each.partition(" #")[0] for lines in tried for each in lines}
