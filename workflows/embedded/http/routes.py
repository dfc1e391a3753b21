"""The routes of a template, matched as an HTTP API of API Gateway matches them. The matcher is Starlette's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route

from workflows.embedded.template import ApiRoute, Function


@dataclass(frozen=True, slots=True)
class RouteTarget:
    """A route of the template, and the logical id of the function behind it."""

    function: str
    route: ApiRoute


Targets = Mapping[str, RouteTarget]
"""The targets of one path by method."""

Endpoint = Callable[[Targets, Request], Awaitable[Response]]


async def _no_endpoint(_targets: Targets, _request: Request) -> Response:
    raise NotImplementedError("these routes are only matched, not served")


class RouteTable:
    """The routes of some functions. ``routes`` is for Starlette; a request that matches is passed to ``endpoint``."""

    def __init__(self, functions: Mapping[str, Function], endpoint: Endpoint = _no_endpoint) -> None:
        by_path: defaultdict[str, dict[str, RouteTarget]] = defaultdict(dict)
        for name, function in functions.items():
            for route in function.routes:
                by_path[route.path][route.method] = RouteTarget(name, route)
        # A fixed path wins over one with parameters, as at API Gateway.
        self._paths = [by_path[path] for path in sorted(by_path, key=lambda path: path.count("{"))]
        self.routes = [
            Route(next(iter(targets.values())).route.path, partial(endpoint, targets), methods=list(targets))
            for targets in self._paths
        ]

    def find(self, method: str, path: str) -> tuple[RouteTarget, dict[str, str]]:
        """Return the target of a request, and its path parameters. Raises LookupError."""
        scope = {"type": "http", "method": method, "path": path}
        for targets, route in zip(self._paths, self.routes, strict=True):
            match, matched = route.matches(scope)
            if match is Match.FULL:
                return target_of(targets, method), matched["path_params"]
        raise LookupError(f"the template has no route {method} {path}")


def target_of(targets: Targets, method: str) -> RouteTarget:
    """Return the target for a method that the path takes. HEAD is served by GET's target."""
    return targets["GET" if method == "HEAD" and method not in targets else method]


def methods_at(routes: Iterable[BaseRoute], path: str) -> list[str]:
    """Return the methods that a path takes, sorted, for the header Allow."""
    scope = {"type": "http", "method": "", "path": path}
    matching = [route for route in routes if isinstance(route, Route) and route.matches(scope)[0] is not Match.NONE]
    return sorted({method for route in matching for method in route.methods or ()})
