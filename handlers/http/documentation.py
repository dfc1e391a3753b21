"""The routes of the API's documentation, which need no token: the OpenAPI document, Swagger UI to read and try it, and
the AsyncAPI document of the published events.

Swagger UI is the copy that Powertools ships (Apache-2.0). The page loads nothing from another host.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from handlers.http.api import Api
from handlers.http.refusals import NoSuchPath
from handlers.http.responses import Response

_PUBLIC = {"Cache-Control": "public, max-age=300"}
_PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
}
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Expediter API</title><link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body><p style="margin: 1em; font-family: sans-serif">Published events: <a href="asyncapi.json">asyncapi.json</a></p>
<div id="swagger-ui">Loading. Without JavaScript, read <a href="openapi.json">openapi.json</a>.</div>
<script src="docs/swagger-ui.js"></script><script src="docs/start.js"></script></body>
</html>
"""
_START = """SwaggerUIBundle({
  dom_id: "#swagger-ui", url: "openapi.json", presets: [SwaggerUIBundle.presets.apis], layout: "BaseLayout",
  deepLinking: true, filter: true, displayRequestDuration: true, defaultModelsExpandDepth: 0, validatorUrl: null,
});
"""
_SHIPPED = {
    "swagger-ui.js": ("swagger-ui-bundle.min.js", "text/javascript; charset=utf-8"),
    "swagger-ui.css": ("swagger-ui.min.css", "text/css; charset=utf-8"),
}


def add_documentation(api: Api, apis: Callable[[], Sequence[Api]]) -> None:
    """Register the routes with ``api``.

    Args:
        apis: Imports and returns the APIs to document; called when the document is first read.
    """

    def get_openapi() -> Response:
        from handlers.http.openapi import document_text

        return Response(200, "application/json", document_text(apis), _PUBLIC, compressible=True)

    api.add("GET", "/openapi.json", get_openapi, public=True)
    api.add("GET", "/asyncapi.json", _get_asyncapi, public=True)
    api.add("GET", "/docs", _get_docs, public=True)
    api.add("GET", "/docs/{asset}", _get_docs_asset, public=True)


def _get_asyncapi() -> Response:
    from handlers.http.asyncapi import asyncapi_text

    return Response(200, "application/json", asyncapi_text(), _PUBLIC, compressible=True)


def _get_docs() -> Response:
    return Response(200, "text/html; charset=utf-8", _PAGE, {**_PUBLIC, **_PAGE_HEADERS})


def _get_docs_asset(asset: str) -> Response:
    if asset == "start.js":
        return Response(200, "text/javascript; charset=utf-8", _START, _PUBLIC)
    if asset not in _SHIPPED:
        raise NoSuchPath("There is nothing at this path.")
    from importlib.resources import files

    name, content_type = _SHIPPED[asset]
    shipped = files("aws_lambda_powertools.event_handler.openapi.swagger_ui").joinpath(name)
    return Response(200, content_type, shipped.read_text(encoding="utf-8"), _PUBLIC, compressible=True)
