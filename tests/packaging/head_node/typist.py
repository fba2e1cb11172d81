"""Types blocks of a page into a shell of a head node, line by line, as they stand."""

import re
from dataclasses import dataclass, field

from sandbox.docker.command import docker
from tests.packaging.head_node.node import HeadNode
from tests.page import Block

_OVER = "--- that line ended with"


@dataclass(frozen=True)
class Typed:
    """One line, its exit code, and what the terminal showed."""

    line: str
    code: int
    shown: str


@dataclass
class Typist:
    node: HeadNode
    heard: list[Typed] = field(default_factory=list)

    def types(self, block: Block, user: str = "root", directory: str = "/root") -> list[Typed]:
        """Type all lines into one shell; each has to end well."""
        script = "exec 2>&1\nshopt -s expand_aliases\n" + "".join(
            f"{line}\nprintf '\\n%s %s\\n' '{_OVER}' $?\n" for line in block.lines
        )
        options = ("exec", "--user", user, "--workdir", directory, self.node.name)
        said = docker(*options, "bash", "-lc", script, timeout=300).stdout
        parts = re.findall(rf"(.*?)\n{re.escape(_OVER)} (\d+)\n", said, re.DOTALL)
        found = [
            Typed(line, int(code), shown)
            for line, (shown, code) in zip(block.lines, parts, strict=True)
        ]
        self.heard += found
        failed = [typed for typed in found if typed.code]
        assert not failed, failed
        return found
