"""Files of users in memory, held to the real hand by `tests/contract/acting/test_files.py`.

A `FakeTree` is what a machine has below its roots, open to a test; a `FakeFiles` is the `Files` of
one user there. Nobody owns anything in it: whom a hand lets near what is the hand's own matter.
"""

import errno
import io
import os
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from waldur_slurm.errors import FileFailed, NotPermitted
from waldur_slurm.hand import wire
from waldur_slurm.hand.archives import BadArchive, checked_entries
from waldur_slurm.hand.errors import Refused
from waldur_slurm.hand.requests import parts_of
from waldur_slurm.slurm.transports.files import FileFacts, Listed, Listing, Taken

UMASK = 0o022
BEGAN_NS = 1_795_867_200 * 10**9
"""When the first thing was written; each later one a second later."""

Parts = tuple[bytes, ...]
Kind = Literal["file", "directory", "link", "other"]


@dataclass
class Node:
    kind: Kind
    mode: int
    inode: int
    mtime_ns: int
    content: bytes = b""
    """Of a link, where it leads."""

    @property
    def facts(self) -> FileFacts:
        size = 4096 if self.kind == "directory" else len(self.content)
        return FileFacts(self.kind, size, self.mode, self.mtime_ns, self.inode)


@dataclass
class FakeTree:
    """`outage` is what every act raises instead; `acts` counts them."""

    roots: tuple[str, ...] = ("/home/ann",)
    nodes: dict[Parts, Node] = field(default_factory=dict)
    outage: Exception | None = None
    acts: int = 0

    def __post_init__(self) -> None:
        for root in self.roots:
            self.add(root, "directory", 0o700)

    def add(self, path: str, kind: Kind, mode: int = 0o644, content: bytes = b"") -> Node:
        inode = 1 + max((node.inode for node in self.nodes.values()), default=0)
        node = Node(kind, mode, inode, BEGAN_NS + inode * 10**9, content)
        self.nodes[parts_of(path)] = node
        return node

    def write(self, path: str, content: bytes) -> Node:
        """Put a file there, and the directories on the way."""
        parts = parts_of(path)
        for depth in range(1, len(parts)):
            if parts[:depth] not in self.nodes:
                self.add(_path(parts[:depth]), "directory", 0o755)
        return self.add(path, "file", content=content)

    def append(self, path: str, content: bytes) -> None:
        """Let a file grow, as a job's output does."""
        node = self.nodes[parts_of(path)]
        node.content += content
        node.mtime_ns += 10**9

    def link(self, path: str, target: str) -> None:
        self.add(path, "link", 0o777, target.encode())

    def read(self, path: str) -> bytes:
        return self.nodes[parts_of(path)].content

    def holds(self, path: str) -> bool:
        return parts_of(path) in self.nodes

    def names(self, path: str) -> list[str]:
        """Name what a directory holds itself."""
        beneath = self.beneath(parts_of(path))
        return [
            wire.to_text(other[-1]) for other in beneath if len(other) == len(parts_of(path)) + 1
        ]

    def beneath(self, parts: Parts) -> list[Parts]:
        """All that a directory holds, itself left out, in the order of a listing."""
        return sorted(
            other for other in self.nodes if other[: len(parts)] == parts and other != parts
        )


class FakeFiles:
    """A `Files` in a `FakeTree`."""

    def __init__(self, tree: FakeTree) -> None:
        self.tree = tree

    def make(self, path: str, *, mode: int = 0o777, parents: bool = False) -> bool:
        names, root = self._place(path)
        for depth in range(root + 1, len(names) if parents else 0):
            self._make_one(names[:depth], 0o777)
        self._demand_child(names, root)
        self._demand_way(names, root)
        return self._make_one(names, mode)

    def put(
        self,
        path: str,
        content: Iterable[bytes],
        *,
        most: int,
        mode: int = 0o666,
        replace: bool = True,
    ) -> FileFacts:
        names, root = self._place(path)
        self._demand_child(names, root)
        self._demand_way(names, root)
        whole = _gathered(content, most)
        there = self.tree.nodes.get(names)
        if there is not None and not replace:
            raise _failed(errno.EEXIST, path)
        if there is not None and there.kind == "directory":
            raise _failed(errno.EISDIR, path)
        return self.tree.add(path, "file", mode & ~UMASK, whole).facts

    def take(self, path: str, *, offset: int = 0, length: int | None = None) -> Taken:
        node = self._found(path)
        if node.kind == "link":
            raise _failed(errno.ELOOP, path)
        if node.kind != "file":
            raise FileFailed(f"{path} is not a file", "")
        begin = offset if offset >= 0 else max(len(node.content) + offset, 0)
        return Taken(node.facts, begin, _read(node, begin, length))

    def list(self, path: str, *, depth: int = 1, most: int = 10_000) -> Listing:
        names = self._directory(path)
        entries = [
            Listed(wire.to_text(b"/".join(other[len(names) :])), self.tree.nodes[other].facts)
            for other in self.tree.beneath(names)
            if len(other) <= len(names) + depth
        ]
        return Listing(tuple(entries[:most]), len(entries) <= most)

    def look(self, path: str) -> FileFacts | None:
        try:
            return self._found(path, is_root_shown=True).facts
        except FileFailed as failed:
            if failed.errno != "ENOENT":
                raise
            return None

    def zip_out(self, path: str, *, most: int, compress: bool = False) -> Iterator[bytes]:
        names = self._directory(path)
        packed = io.BytesIO()
        method = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
        with zipfile.ZipFile(packed, "w", method) as archive:
            for other in self.tree.beneath(names):
                node, name = self.tree.nodes[other], wire.to_text(b"/".join(other[len(names) :]))
                if node.kind in ("file", "directory"):
                    entry = zipfile.ZipInfo(name + "/" * (node.kind == "directory"))
                    entry.compress_type = method
                    kind = 0o040000 if node.kind == "directory" else 0o100000
                    entry.external_attr = (kind | node.mode) << 16
                    archive.writestr(entry, node.content)
        if packed.tell() > most:
            raise FileFailed(f"the files have more than {most} bytes", "")
        return iter((packed.getvalue(),))

    def zip_in(
        self, path: str, content: Iterable[bytes], *, most: int, most_entries: int = 10_000
    ) -> int:
        self._directory(path)
        whole = _gathered(content, most)
        try:
            archive = zipfile.ZipFile(io.BytesIO(whole))
            entries = checked_entries(archive.infolist(), most)
        except (BadArchive, zipfile.BadZipFile) as error:
            raise NotPermitted(f"the archive cannot be taken: {error}") from error
        if len(entries) > most_entries:
            raise NotPermitted(f"the archive has more than {most_entries} entries")
        for entry in entries:
            place = f"{path}/{wire.to_text(b'/'.join(entry.path))}"
            if entry.is_directory:
                self.make(place, mode=entry.mode, parents=True)
            else:
                self.make(place.rpartition("/")[0], parents=True)
                self.put(place, [archive.read(entry.info)], most=most, mode=entry.mode)
        return len(entries)

    def remove(self, path: str, *, keep: Iterable[str] = ()) -> int:
        kept = {wire.to_bytes(name) for name in keep}
        names, root = self._place(path)
        if kept:
            self._directory(path)
            gone = [other for other in self.tree.beneath(names) if other[len(names)] not in kept]
        else:
            self._demand_child(names, root)
            self._demand_way(names, root)
            gone = [names, *self.tree.beneath(names)] if names in self.tree.nodes else []
        for other in gone:
            del self.tree.nodes[other]
        return len(gone)

    def _place(self, path: str) -> tuple[Parts, int]:
        """Return the names of a path, and how many of them are its root."""
        self.tree.acts += 1
        if self.tree.outage is not None:
            raise self.tree.outage
        try:
            names = parts_of(path)
        except Refused as why:
            raise NotPermitted(str(why)) from why
        roots = [len(parts_of(root)) for root in self.tree.roots if _is_below(names, root)]
        if not roots:
            raise NotPermitted(f"{path} lies below none of the roots that are there")
        return names, max(roots)

    def _found(self, path: str, *, is_root_shown: bool = False) -> Node:
        names, root = self._place(path)
        if not is_root_shown:
            self._demand_child(names, root)
        self._demand_way(names, root)
        node = self.tree.nodes.get(names)
        if node is None:
            raise _failed(errno.ENOENT, path)
        return node

    def _directory(self, path: str) -> Parts:
        if self._found(path, is_root_shown=True).kind != "directory":
            raise _failed(errno.ENOTDIR, path)
        return parts_of(path)

    def _demand_child(self, names: Parts, root: int) -> None:
        if len(names) == root:
            raise NotPermitted(f"{_path(names)} is a root, which stays as it is")

    def _demand_way(self, names: Parts, root: int) -> None:
        """What is no directory, a link above all, ends the way."""
        for depth in range(root, len(names)):
            node = self.tree.nodes.get(names[:depth])
            if node is None:
                raise _failed(errno.ENOENT, _path(names[:depth]))
            if node.kind != "directory":
                raise _failed(errno.ENOTDIR, _path(names[:depth]))

    def _make_one(self, names: Parts, mode: int) -> bool:
        there = self.tree.nodes.get(names)
        if there is None:
            self.tree.add(_path(names), "directory", mode & ~UMASK)
        elif there.kind != "directory":
            raise _failed(errno.ENOTDIR, _path(names))
        return there is None


def _read(node: Node, begin: int, length: int | None) -> Iterator[bytes]:
    """Read what is there when it is asked for, as a file that grows is read."""
    at, left = begin, length
    while left is None or left > 0:
        data = node.content[at : at + (wire.CHUNK if left is None else min(left, wire.CHUNK))]
        if not data:
            return
        at += len(data)
        left = None if left is None else left - len(data)
        yield data


def _gathered(content: Iterable[bytes], most: int) -> bytes:
    whole = b""
    for data in content:
        whole += data
        if len(whole) > most:
            raise NotPermitted(f"the body is larger than {most} bytes")
    return whole


def _is_below(names: Parts, root: str) -> bool:
    above = parts_of(root)
    return names[: len(above)] == above


def _path(parts: Parts) -> str:
    return "/" + wire.to_text(b"/".join(parts))


def _failed(number: int, path: str) -> FileFailed:
    shown = path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return FileFailed(f"{shown}: {os.strerror(number)}", errno.errorcode[number])
