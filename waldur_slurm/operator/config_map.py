"""The ConfigMap `slurm-config` as its administrator wrote it, read as text. Pure.

Its key `config` says of each node of Kubernetes what it carries, its key `clusters` which Slurm
there is and who may use it. Values are texts as they stand: `10.0` is no 10, and `yes` is
no truth. What is wrong is found with its line, and left out; the rest is taken.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import yaml

from waldur_slurm.operator.model.cluster import (
    ALL_OPTIONS,
    ByGateway,
    BySsh,
    Cluster,
    NodeEntry,
    RunsAs,
)

CONFIG, CLUSTERS = "config", "clusters"

MOST = 512 * 1024
"""More than this no ConfigMap holds anyway."""

_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?")
_CLUSTER_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_NUMBER = re.compile(r"[0-9]{1,18}")
_HOST_PORT = re.compile(r"(?P<host>[A-Za-z0-9.-]+|\[[0-9a-fA-F:]+\])(:(?P<port>[0-9]{1,5}))?")
_SSH_PORT = "22"
T = TypeVar("T")
_TRUE, _FALSE = ("true", "yes", "on"), ("false", "no", "off")


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
    clusters: Mapping[str, Cluster] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    doubtful: frozenset[str] = frozenset()
    """Nodes whose entries cannot be understood: nobody knows what they should carry."""
    says_of_nodes: bool = True
    """Whether it can be read what it says of nodes at all; an empty text says that of none."""
    doubtful_clusters: frozenset[str] = frozenset()
    says_of_clusters: bool = True


def read_config(data: Mapping[str, str]) -> SlurmConfig:
    """Read what a ConfigMap holds."""
    findings: list[Finding] = []
    config = _Reader(CONFIG, findings)
    nodes = {each.name: each for each in config.read(data.get(CONFIG, ""), config.node)}
    if CONFIG not in data:
        config.was_read = False
        findings.append(Finding(CONFIG, 1, f"the ConfigMap has no {CONFIG}, so no node is changed"))
    if CLUSTERS in data:
        told = _Reader(CLUSTERS, findings)
        clusters = {each.name: each for each in told.read(data[CLUSTERS], told.cluster)}
    else:
        told = config
        clusters = dict(_from_nodes(nodes))
    return SlurmConfig(
        nodes=nodes,
        clusters=clusters,
        findings=tuple(findings),
        doubtful=frozenset(config.left_out),
        says_of_nodes=config.was_read,
        doubtful_clusters=frozenset(told.left_out),
        says_of_clusters=told.was_read,
    )


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

    def cluster(self, name: str, told: yaml.Node) -> Cluster:
        if not _CLUSTER_NAME.fullmatch(name):
            raise _Wrong(told, "a cluster's name has small letters, digits and dashes")
        known = (
            "url",
            "token",
            "ssh",
            "knownHosts",
            "default",
            "namespaces",
            "labels",
            "resources",
        )
        parts = dict(self._known(told, known))
        return Cluster(
            name=name,
            by=_way(told, parts),
            is_default=_truth(parts["default"]) if "default" in parts else False,
            namespaces=dict(self._namespaces(parts.get("namespaces"))),
            labels=dict(self._labels(parts.get("labels"))),
            resources=dict(self._resources(parts.get("resources"))),
        )

    def _namespaces(self, told: yaml.Node | None) -> Iterator[tuple[str, RunsAs]]:
        return self._one_by_one("namespace", told, lambda _, value: self._runs_as(value))

    def _runs_as(self, told: yaml.Node) -> RunsAs:
        parts = dict(self._each(told))
        unknown = parts.keys() - {"user", "account", "options", "ssh"}
        if unknown:
            raise _Wrong(told, f"{min(unknown)} is not known here")
        user = _text(parts["user"]) if "user" in parts else ""
        if not user:
            raise _Wrong(told, "it names no user")
        return RunsAs(
            user=user,
            account=_text(parts["account"]) if "account" in parts else "",
            options=_texts(parts["options"]) if "options" in parts else ALL_OPTIONS,
            may_use_ssh=_truth(parts["ssh"]) if "ssh" in parts else False,
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


def _way(told: yaml.Node, parts: Mapping[str, yaml.Node]) -> ByGateway | BySsh:
    if ("url" in parts) == ("ssh" in parts):
        raise _Wrong(told, "it names either a url or an ssh host")
    if "url" in parts:
        url = _text(parts["url"])
        if not url.startswith(("http://", "https://")):
            raise _Wrong(parts["url"], f"{url!r} is no address of a gateway")
        return ByGateway(url, _text(parts["token"]) if "token" in parts else "")
    if "knownHosts" not in parts:
        raise _Wrong(parts["ssh"], "knownHosts has to say which keys the host shows")
    match = _HOST_PORT.fullmatch(_text(parts["ssh"]))
    if match is None:
        raise _Wrong(parts["ssh"], f"{_text(parts['ssh'])!r} is no host")
    return BySsh(match["host"], int(match["port"] or _SSH_PORT), _text(parts["knownHosts"]))


def _from_nodes(nodes: Mapping[str, NodeEntry]) -> Iterator[tuple[str, Cluster]]:
    """Take each node's address for a cluster that is open to all, as it once was."""
    for node in nodes.values():
        if node.slurm_local:
            by = ByGateway(node.slurm_local)
            yield (
                node.name,
                Cluster(
                    node.name, by, labels=node.labels, resources=node.resources, is_open_to_all=True
                ),
            )


def _text(told: yaml.Node) -> str:
    if not isinstance(told, yaml.ScalarNode):
        raise _Wrong(told, "a single value is expected here")
    return str(told.value)


def _texts(told: yaml.Node) -> frozenset[str]:
    if not isinstance(told, yaml.SequenceNode):
        raise _Wrong(told, "a list is expected here")
    return frozenset(_text(each) for each in told.value)


def _truth(told: yaml.Node) -> bool:
    text = _text(told).lower()
    if text not in _TRUE + _FALSE:
        raise _Wrong(told, f"{text!r} is neither true nor false")
    return text in _TRUE
