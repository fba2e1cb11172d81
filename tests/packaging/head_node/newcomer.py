"""Somebody who types what the README says, line by line, on a head node of his own.

Where the page leaves something to him he does what it asks for: values go into the env files, and
Waldur is a stand-in whose provider has not made the offering ready.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

from tests import readme
from tests.packaging.head_node.node import HeadNode

SOURCE = "/root/waldur-slurm-agent"
WALDUR = "/root/waldur"
ENV_FILES = "/etc/waldur-slurm-service/pull.env /etc/waldur-slurm-service/push.env"
_OVER = "--- that line ended with"


@dataclass(frozen=True)
class Typed:
    """One line, its exit code, and what the terminal showed."""

    line: str
    code: int
    shown: str


@dataclass
class Newcomer:
    node: HeadNode
    heard: list[Typed] = field(default_factory=list)

    def types(self, block: readme.Block, directory: str = "/root") -> list[Typed]:
        """All lines into one shell; a line that fails ends nothing, as at a terminal."""
        script = "exec 2>&1\n" + "".join(
            f"{line}\nprintf '\\n%s %s\\n' '{_OVER}' $?\n" for line in block.lines
        )
        said = self.node.says_all(script, directory=directory)
        parts = re.findall(rf"(.*?)\n{re.escape(_OVER)} (\d+)\n", said, re.DOTALL)
        found = [
            Typed(line, int(code), shown)
            for line, (shown, code) in zip(block.lines, parts, strict=True)
        ]
        self.heard += found
        return found

    def succeeds(self, section: str, number: int = 0, directory: str = "/root") -> list[Typed]:
        """Type one block of a section, of which every line has to end well."""
        found = self.types(readme.blocks(section)[number], directory)
        assert [typed for typed in found if typed.code] == []
        return found

    def command(self, words: str, env: str = "pull") -> Typed:
        """One of the table's commands, as the sentence below it says."""
        line = f"waldur-slurm-agent --env-file /etc/waldur-slurm-service/{env}.env {words}"
        return self.types(readme.Block("Commands", (line,)))[0]

    def reaches(self, wheels: Path) -> None:
        """Their folder is the index of packages: this machine reaches no other."""
        self.node.copy(wheels, "/root/wheels")
        self.node.sh(
            "printf '[global]\\nno-index = true\\nfind-links = /root/wheels\\n' >/etc/pip.conf"
        )

    def waldur(self, words: str, place: str = WALDUR) -> str:
        command, _, more = words.partition(" ")
        return self.node.sh(f"python3 -m sandbox waldur {command} {place} {more}", directory=SOURCE)

    def meets_waldur(self, place: str = WALDUR, port: int = 8080) -> dict[str, str]:
        """The values for the env files: an address, a token and an offering."""
        said = self.waldur(f"start --port {port} --for 30m", place)
        told = dict(line.split()[:2] for line in reversed(said.splitlines()) if line.strip())
        token = next(line.split()[1] for line in said.splitlines() if line.endswith("provider"))
        return {
            "WALDUR_API_URL": told["address"],
            "WALDUR_API_TOKEN": token,
            "WALDUR_OFFERING_UUID": told["offering"],
        }

    def fills_in(self, values: dict[str, str], env_files: str = ENV_FILES) -> None:
        for variable, value in values.items():
            self.node.sh(f"sed -i 's|^{variable}=[^ ]*|{variable}={value}|' {env_files}")
