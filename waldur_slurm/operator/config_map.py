"""The ConfigMap `slurm-config` as its administrator wrote it, read as text. Pure.

Its key `config` says of each node of Kubernetes what it carries. Values are texts as they stand:
`10.0` is no 10, and `yes` is no truth. What is wrong is found with its line and left out; the rest
is taken.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import yaml

CONFIG = "config"

MOST = 512 * 1024
"""More than this no ConfigMap holds anyway."""

_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?")
_NUMBER = re.compile(r"[0-9]{1,18}")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class NodeEntry:
    """What he says of one node. Names are without the group that they get on the node."""

    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    resources: Mapping[str, int] = field(default_factory=dict)
    slurm_local: str = ""
    slurm_ssh: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong, and in which line of which key."""

    key: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.key}, line {self.line}: {self.what}"


@dataclass(frozen=True, slots=True)
class SlurmConfig:
    nodes: Mapping[str, NodeEntry] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    doubtful: frozenset[str] = frozenset()
    """Nodes whose entries cannot be understood: nobody knows what they should carry."""
    says_of_nodes: bool = True
    """Whether it can be read what it says of nodes at all; an empty text says that of none."""


def read_config(data: Mapping[str, str]) -> SlurmConfig:
    """Read what a ConfigMap holds."""
    findings: list[Finding] = []
    config = _Reader(CONFIG, findings)
    nodes = {each.name: each for each in config.read(data.get(CONFIG, ""), config.node)}
    if CONFIG not in data:
        config.was_read = False
        findings.append(Finding(CONFIG, 1, f"the ConfigMap has no {CONFIG}, so no node is changed"))
    return SlurmConfig(nodes, tuple(findings), frozenset(config.left_out), config.was_read)


class _Wrong(Exception):
    """One entry says what cannot be."""

    def __init__(self, at: yaml.Node, what: str) -> None:
        super().__init__(what)
        self.line = at.start_mark.line + 1


class _Reader:
    """One key of the ConfigMap; what is wrong goes to `findings`."""

    def __init__(self, key: str, findings: list[Finding]) -> None:
        self._key = key
        self._findings = findings
        self.left_out: set[str] = set()
        self.was_read = False

    def read(self, text: str, entry: Callable[[str, yaml.Node], T]) -> Iterator[T]:
        """Read each entry of the whole, leaving out those that are wrong."""
        before = len(self._findings)
        root = self._compose(text)
        self.was_read = len(self._findings) == before
        if root is None:
            return
        for name, value in self._each(root):
            try:
                yield entry(name, value)
            except _Wrong as wrong:
                self.left_out.add(name)
                self._find(wrong.line, f"{name}: {wrong}; the entry is left out")

    def node(self, name: str, told: yaml.Node) -> NodeEntry:
        parts = dict(
            self._known(told, ("labels", "resources", "slurm_local", "slurm_ssh", "slurm"))
        )
        ssh = parts.get("slurm_ssh") or parts.get("slurm")
        return NodeEntry(
            name=name,
            labels=dict(self._labels(parts.get("labels"))),
            resources=dict(self._resources(parts.get("resources"))),
            slurm_local=_text(parts["slurm_local"]) if "slurm_local" in parts else "",
            slurm_ssh=_text(ssh) if ssh else "",
        )

    def _labels(self, told: yaml.Node | None) -> Iterator[tuple[str, str]]:
        return self._one_by_one("label", told, _label)

    def _resources(self, told: yaml.Node | None) -> Iterator[tuple[str, int]]:
        return self._one_by_one("resource", told, _resource)

    def _one_by_one(
        self, kind: str, told: yaml.Node | None, read: Callable[[str, yaml.Node], T]
    ) -> Iterator[tuple[str, T]]:
        """Read what is right, and tell of the rest."""
        for name, value in self._each(told) if told else ():
            try:
                yield name, read(name, value)
            except _Wrong as wrong:
                self._find(wrong.line, f"{kind} {name}: {wrong}; it is left out")

    def _known(self, told: yaml.Node, names: tuple[str, ...]) -> Iterator[tuple[str, yaml.Node]]:
        """Yield what is known, and tell of the rest."""
        for name, value in self._each(told):
            if name in names:
                yield name, value
            else:
                line = value.start_mark.line + 1
                self._find(line, f"{name} is not known here; it is left out")

    def _each(self, told: yaml.Node) -> Iterator[tuple[str, yaml.Node]]:
        """Yield a mapping's entries; of two with one name the first."""
        if not isinstance(told, yaml.MappingNode):
            if isinstance(told, yaml.ScalarNode) and told.value == "":
                return
            raise _Wrong(told, "names with values are expected here")
        seen: set[str] = set()
        for key, value in told.value:
            name = _text(key)
            if name in seen:
                self._find(key.start_mark.line + 1, f"{name} is there twice; the first one counts")
                continue
            seen.add(name)
            yield name, value

    def _compose(self, text: str) -> yaml.Node | None:
        if len(text) > MOST:
            self._find(1, f"it is longer than {MOST} characters")
            return None
        try:
            root: yaml.Node | None = yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            self._find(mark.line + 1 if mark else 1, f"that is no YAML: {error.problem}")
            return None
        except (yaml.YAMLError, RecursionError) as error:
            self._find(1, f"that is no YAML: {error}")
            return None
        if root is not None and not isinstance(root, yaml.MappingNode):
            self._find(1, "names with values are expected here")
            return None
        return root

    def _find(self, line: int, what: str) -> None:
        self._findings.append(Finding(self._key, line, what))


def _label(name: str, told: yaml.Node) -> str:
    text = _text(told)
    if not _NAME.fullmatch(name):
        raise _Wrong(told, "that is no name of a label")
    if text and not _NAME.fullmatch(text):
        raise _Wrong(told, f"{text!r} is no value of a label")
    return text


def _resource(name: str, told: yaml.Node) -> int:
    text = _text(told)
    if not _NAME.fullmatch(name):
        raise _Wrong(told, "that is no name of a resource")
    if not _NUMBER.fullmatch(text):
        raise _Wrong(told, f"{text!r} is no whole number")
    return int(text)


def _text(told: yaml.Node) -> str:
    if not isinstance(told, yaml.ScalarNode):
        raise _Wrong(told, "a single value is expected here")
    return str(told.value)
