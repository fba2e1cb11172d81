"""Where things are at an API server."""

from urllib.parse import quote

NODES = "/api/v1/nodes"


def node(name: str) -> str:
    return f"{NODES}/{_spelt(name)}"


def within(namespace: str, kind: str, name: str) -> str:
    """Return where one thing of a core kind is in a namespace."""
    return f"/api/v1/namespaces/{_spelt(namespace)}/{kind}/{_spelt(name)}"


def _spelt(text: str) -> str:
    return quote(text, safe="")
