"""Serves ``/health/live``, ``/health/ready`` and ``/metrics``, all without a token.

They take the place of Amazon CloudWatch's metrics and of the health checks of a load balancer. A metric is read when it
is scraped, from numbers that the engine keeps anyway, so that an engine that is not scraped does no work for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from workflows.embedded.http.problems import problem

if TYPE_CHECKING:
    from prometheus_client.core import Metric


class MetricSource(Protocol):
    """Yields metrics when it is scraped, in any thread."""

    def collect(self) -> Iterator[Metric]: ...


def probe_routes(failure: Callable[[], BaseException | None], sources: Sequence[MetricSource]) -> list[Route]:
    """Return the routes.

    Args:
        failure: Returns why the engine cannot continue, or None while it works.
        sources: The metrics; their names must differ.
    """

    async def live(_request: Request) -> Response:
        return JSONResponse({"status": "live"})

    async def ready(_request: Request) -> Response:
        error = failure()
        if error is not None:
            return problem(HTTPStatus.SERVICE_UNAVAILABLE, f"The engine cannot continue: {error}")
        return JSONResponse({"status": "ready"})

    def metrics(_request: Request) -> Response:  # reads the database, so it runs in a thread
        from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

        registry = CollectorRegistry(auto_describe=False)
        for source in sources:
            registry.register(source)
        return Response(generate_latest(registry), headers={"content-type": CONTENT_TYPE_LATEST})

    return [Route("/health/live", live), Route("/health/ready", ready), Route("/metrics", metrics)]
