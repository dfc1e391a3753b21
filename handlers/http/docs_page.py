"""The API's documentation as a page to read: made from the OpenAPI document, without scripts and without a network."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

PAGE_HEADERS = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 56rem; margin: 2rem auto; padding: 0 1rem; color: #1d1d1f;
  background: #fff }
h2 { margin-top: 3rem; border-bottom: 2px solid } h3 { margin: 2.5rem 0 0 } h4 { margin: 1rem 0 .25rem }
code, pre { font: 14px/1.45 ui-monospace, monospace; background: #f3f3f0; border-radius: 4px }
code { padding: 0 .25em } pre { padding: .75rem; overflow-x: auto }
b.method { display: inline-block; min-width: 3.5em } table { border-collapse: collapse; width: 100% }
td, th { text-align: left; vertical-align: top; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid #ddd }
nav a { display: block } a { color: #0b57a4 }
@media (prefers-color-scheme: dark) { body { background: #17181a; color: #e6e6e6 } code, pre { background: #26282b }
  td, th { border-color: #3a3d42 } a { color: #8ab4f8 } }
"""


def page(document: dict[str, Any]) -> str:
    """The page as HTML."""
    return "".join(_page(document))


def _page(document: dict[str, Any]) -> Iterator[str]:
    info, schemas = document["info"], document["components"]["schemas"]
    operations = [
        (path, method, found)
        for path, item in document["paths"].items()
        for method, found in item.items()
        if isinstance(found, dict) and "operationId" in found
    ]
    yield '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Expediter API</title>'
    yield f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body>'
    yield f"<h1>{escape(info['title'])} API {escape(info['version'])}</h1>{_prose(info['description'])}"
    yield '<p>The same as data: <a href="openapi.json">openapi.json</a></p><nav>'
    for path, method, found in operations:
        yield f'<a href="#{found["operationId"]}">{_signature(path, method)}</a>'
    yield "</nav>"
    for tag in document["tags"]:
        yield f"<h2>{escape(tag['name'])}</h2>"
        for path, method, found in operations:
            if tag["name"] in found["tags"]:
                yield from _operation(path, method, found, schemas)
    yield "<h2>Shapes</h2>"
    for name, schema in schemas.items():
        yield from _schema(name, schema)
    yield "</body></html>"


def _operation(path: str, method: str, operation: dict[str, Any], schemas: dict[str, Any]) -> Iterator[str]:
    yield f'<h3 id="{operation["operationId"]}">{_signature(path, method)}</h3>'
    yield f"<p><strong>{escape(operation['summary'])}.</strong></p>{_prose(operation.get('description', ''))}"
    if operation.get("parameters"):
        rows = [
            (f"<code>{escape(p['name'])}</code>", p["in"], _type(p["schema"]), _prose(p.get("description", "")))
            for p in operation["parameters"]
        ]
        yield f"<h4>Parameters</h4>{_table(rows)}"
    body = operation.get("requestBody")
    if body:
        name = body["content"]["application/json"]["schema"]["$ref"].rsplit("/", 1)[1]
        yield f"<h4>Body: {_link(name)}</h4>"
        for example in schemas[name].get("examples", ()):
            yield f"<pre>{escape(json.dumps(example, indent=2))}</pre>"
    answers = [
        (f"<code>{status}</code>", escape(answer["description"]).replace("`", ""), _answer(answer))
        for status, answer in operation["responses"].items()
    ]
    yield f"<h4>Answers</h4>{_table(sorted(answers))}"


def _schema(name: str, schema: dict[str, Any]) -> Iterator[str]:
    yield f'<h3 id="{escape(name)}">{escape(name)}</h3>{_prose(schema.get("description", ""))}'
    if "enum" in schema:
        yield "<p>" + ", ".join(f"<code>{escape(str(value))}</code>" for value in schema["enum"]) + "</p>"
    required = schema.get("required", ())
    rows = [
        (f"<code>{escape(field)}</code>", "" if field in required else "optional", _type(found))
        for field, found in schema.get("properties", {}).items()
    ]
    if rows:
        yield _table(rows)


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return _link(schema["$ref"].rsplit("/", 1)[1])
    if "anyOf" in schema:
        return " or ".join(_type(option) for option in schema["anyOf"])
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}{_limits(schema)}"
    values = schema.get("enum") or ([schema["const"]] if "const" in schema else ())
    if values:
        return ", ".join(f"<code>{escape(str(value))}</code>" for value in values)
    return escape(schema.get("format") or schema.get("type") or "anything") + _limits(schema)


def _limits(schema: dict[str, Any]) -> str:
    names = ("minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "pattern")
    limits = [f"{name} <code>{escape(str(schema[name]))}</code>" for name in names if name in schema]
    return f" ({', '.join(limits)})" if limits else ""


def _answer(answer: dict[str, Any]) -> str:
    return ", ".join(_type(content["schema"]) for content in answer.get("content", {}).values())


def _link(name: str) -> str:
    return f'<a href="#{escape(name)}">{escape(name)}</a>'


def _signature(path: str, method: str) -> str:
    return f'<b class="method">{method.upper()}</b> <code>{escape(path)}</code>'


def _table(rows: Sequence[tuple[str, ...]]) -> str:
    return "<table>" + "".join(f"<tr><td>{'</td><td>'.join(row)}</td></tr>" for row in rows) + "</table>"


def _prose(text: str) -> str:
    """Paragraphs, ``**strong**`` and `` `code` ``: as much Markdown as the descriptions use."""
    marked = re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", re.sub(r"`+(.+?)`+", r"<code>\1</code>", escape(text)))
    return "".join(f"<p>{paragraph}</p>" for paragraph in marked.split("\n\n") if paragraph.strip())
