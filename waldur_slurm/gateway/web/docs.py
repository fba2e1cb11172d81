"""`/docs`: the table of routes as a page for people, made from the document for programs. Pure."""

from base64 import b64encode
from collections.abc import Iterator, Mapping
from hashlib import sha256
from html import escape
from typing import Any

_STYLE = """\
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem }
code { font: 14px ui-monospace, monospace }
section { border-top: 1px solid #8888; padding: 0.5rem 0 }
h2 { font-size: 1rem; margin: 0.5rem 0 }
td { padding: 0 1rem 0 0; vertical-align: top }
:root { color-scheme: light dark }
"""

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        f"style-src 'sha256-{b64encode(sha256(_STYLE.encode()).digest()).decode()}'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)


def docs_page(document: Mapping[str, Any]) -> str:
    """Show every operation of the OpenAPI document; no script, and nothing from elsewhere."""
    title = f"{document['info']['title']} {document['info']['version']}"
    shown = {
        path: operations
        for path, operations in document["paths"].items()
        if not path.startswith("/api/v1/clusters/{cluster}/")
    }
    sections = "".join(
        _section(method, path, operation)
        for path, operations in shown.items()
        for method, operation in operations.items()
    )
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n"
        f"<h1>{escape(title)}</h1>\n"
        '<p>For programs: <a href="/api/v1/openapi.json">/api/v1/openapi.json</a>. What is about'
        " a cluster is there below <code>/api/v1/clusters/{cluster}</code> too.</p>\n"
        f"{sections}</html>\n"
    )


def _section(method: str, path: str, operation: Mapping[str, Any]) -> str:
    rows = "".join(_rows(operation))
    return (
        f"<section>\n<h2><code>{method.upper()} {escape(path)}</code></h2>\n"
        f"<p>{escape(operation['summary'])}. {escape(operation.get('description', ''))}</p>\n"
        + (f"<table>\n{rows}</table>\n" if rows else "")
        + "</section>\n"
    )


def _rows(operation: Mapping[str, Any]) -> Iterator[str]:
    for each in operation["parameters"]:
        kind = each["schema"].get("type", "")
        says = each.get("description", "")
        yield (
            f"<tr><td><code>{escape(each['name'])}</code><td>{each['in']}"
            f"<td>{escape(str(kind))}<td>{escape(says)}\n"
        )
