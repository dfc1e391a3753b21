"""The routes of a template, matched as an HTTP API of API Gateway matches them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route

from workflows.embedded.template import ApiRoute, Function


@dataclass(frozen=True, slots=True)
class RouteTarget:
    """A route of the template, and the logical id of the function behind it."""

    function: str
    route: ApiRoute


_PARAMETER = re.compile(r"\{(\w+)\}")


class RouteTable:
    """The routes of some functions.

    ``routes`` are Starlette's, which finds with them what a path takes (``methods_at``); they serve nothing.
    """

    def __init__(self, functions: Mapping[str, Function]) -> None:
        by_path: defaultdict[str, dict[str, RouteTarget]] = defaultdict(dict)
        for name, function in functions.items():
            for route in function.routes:
                by_path[route.path][route.method] = RouteTarget(name, route)
        # A fixed path wins over one with parameters, as at API Gateway.
        paths = sorted(by_path, key=lambda path: path.count("{"))
        self.routes = [Route(path, _not_served, methods=list(by_path[path])) for path in paths]
        methods = {method for targets in by_path.values() for method in targets} | {"HEAD"}
        self._by_method = {
            method: _Paths([target for path in paths if (target := _target(by_path[path], method)) is not None])
            for method in methods
        }

    def match(self, method: str, path: str) -> tuple[RouteTarget, dict[str, str]] | None:
        """Return the target of a request and its path parameters; None if the template has no such route."""
        paths = self._by_method.get(method)
        return None if paths is None else paths.match(path)

    def find(self, method: str, path: str) -> tuple[RouteTarget, dict[str, str]]:
        """Return what ``match`` does. Raises LookupError instead of returning None."""
        found = self.match(method, path)
        if found is None:
            raise LookupError(f"the template has no route {method} {path}")
        return found


class _Paths:
    """The routes of one method, in one expression: a group around each path, and one for each of its parameters."""

    def __init__(self, targets: list[RouteTarget]) -> None:
        self._by_group: dict[int, tuple[RouteTarget, list[str]]] = {}
        patterns, group = [], 1
        for target in targets:
            literals, names = _PARAMETER.split(target.route.path)[::2], _PARAMETER.findall(target.route.path)
            patterns.append(f"({'([^/]+)'.join(map(re.escape, literals))})$")
            self._by_group[group] = target, names
            group += 1 + len(names)
        self._pattern = re.compile("|".join(patterns))

    def match(self, path: str) -> tuple[RouteTarget, dict[str, str]] | None:
        matched = self._pattern.match(path)
        if matched is None or matched.lastindex is None:
            return None
        group = matched.lastindex  # the group around the path, which ends last
        target, names = self._by_group[group]
        return target, dict(zip(names, matched.groups()[group : group + len(names)], strict=True))


async def _not_served(_request: Request) -> Response:
    raise NotImplementedError("these routes are only matched, not served")


def _target(targets: Mapping[str, RouteTarget], method: str) -> RouteTarget | None:
    """Return a path's target for a method. HEAD is served by GET's target."""
    return targets.get("GET" if method == "HEAD" and method not in targets else method)


def methods_at(routes: Iterable[BaseRoute], path: str) -> list[str]:
    """Return the methods that a path takes, sorted, for the header Allow."""
    scope = {"type": "http", "method": "", "path": path}
    matching = [route for route in routes if isinstance(route, Route) and route.matches(scope)[0] is not Match.NONE]
    return sorted({method for route in matching for method in route.methods or ()})
