"""The routes of the API's documentation. Anybody may read them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from aws_lambda_powertools.event_handler import Response

from handlers.http.api import Api

PATHS = frozenset({"/openapi.json", "/docs"})

_PUBLIC = {"Cache-Control": "public, max-age=300"}


def add_documentation(api: Api, apis: Callable[[], Sequence[Api]]) -> None:
    """Register the routes with ``api``.

    Args:
        apis: Imports and returns the APIs to document; called when the documentation is first read.
    """

    @api.get("/openapi.json", include_in_schema=False)
    def get_openapi() -> Response[str]:
        from handlers.http.openapi import document_text

        return Response(200, "application/json", document_text(apis), headers=_PUBLIC)

    @api.get("/docs", include_in_schema=False)
    def get_docs() -> Response[str]:
        from handlers.http.docs_page import PAGE_HEADERS, page
        from handlers.http.openapi import document

        return Response(200, "text/html; charset=utf-8", page(document(apis)), headers={**_PUBLIC, **PAGE_HEADERS})
