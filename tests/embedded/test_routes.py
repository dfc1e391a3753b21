"""The routes of the template, matched in one expression as Starlette and API Gateway match them one by one."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.routing import Match

from workflows.embedded.http.routes import RouteTable
from workflows.embedded.template import read_template

TABLE = RouteTable(read_template(Path(__file__).parents[2] / "template.yaml").functions)
PATHS = sorted({route.path for route in TABLE.routes})
ODD = ["", "/", "//", "/orders/", "/orders//cancel", "/orders\n", "/orders/x\n", "/orders/x/y", "/Orders", "orders"]


def one_by_one(method: str, path: str) -> tuple[str, dict[str, str]] | None:
    """The first route that Starlette finds."""
    for route in TABLE.routes:
        match, found = route.matches({"type": "http", "method": method, "path": path})
        if match is Match.FULL:
            return route.path, found["path_params"]
    return None


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PATCH", "DELETE", "PUT", "get", "OPTIONS"])
def test_a_request_gets_the_route_that_a_comparison_with_each_would_find(method: str) -> None:
    """A fixed path wins over one with parameters, and a parameter is one segment, whatever its characters."""
    filled = [path.replace("{", "v{").replace("{", "-").replace("}", " é%") for path in PATHS]
    for path in [*filled, *(f"{path}\n" for path in filled), *(f"{path}/more" for path in filled), *ODD]:
        found = TABLE.match(method, path)
        assert (found and (found[0].route.path, found[1])) == one_by_one(method, path), path


def test_every_route_of_the_template_is_found() -> None:
    """No route is hidden by another one."""
    for route in TABLE.routes:
        for method in route.methods or ():
            found = TABLE.match(method, route.path.replace("{", "").replace("}", "_1"))
            assert found is not None, (method, route.path)
            assert found[0].route.path == route.path
