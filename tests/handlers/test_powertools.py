"""The private parts of Powertools that ``handlers/http/api.py`` uses or replaces, each with its signature.

pyproject.toml admits no newer minor release. When that bound is raised, this test names what has changed.
"""

from __future__ import annotations

import inspect
import re
import tomllib

import pytest
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from aws_lambda_powertools.event_handler.api_gateway import BaseRouter, Route
from aws_lambda_powertools.event_handler.middlewares.openapi_validation import OpenAPIRequestValidationMiddleware

from handlers.http import api
from handlers.http.api import Api, _StrictRequests
from tests.handlers.conftest import ROOT

SIGNATURES = {
    (APIGatewayHttpResolver, "_compile_regex"): "(rule: 'str', base_regex: 'str' = '^{}$')",
    (Route, "_build_middleware_stack"): ("(self, router_middlewares: 'list[Callable[..., Any]]', app) -> 'None'"),
    (OpenAPIRequestValidationMiddleware, "_get_body"): "(self, app: 'EventHandlerInstance') -> 'dict[str, Any]'",
    (OpenAPIRequestValidationMiddleware, "handler"): (
        "(self, app: 'EventHandlerInstance', next_middleware: 'NextMiddleware') -> 'Response'"
    ),
}


def get_nothing() -> dict[str, str]:
    return {}


@pytest.mark.parametrize(("cls", "name"), SIGNATURES, ids=lambda value: getattr(value, "__name__", value))
def test_a_private_method_is_there_with_its_signature(cls, name):
    assert str(inspect.signature(getattr(cls, name))) == SIGNATURES[cls, name]


@pytest.mark.parametrize(
    "name", ["_request_validation_middleware", "_static_routes", "_dynamic_routes", "_router_middlewares"]
)
def test_a_private_attribute_of_the_resolver_is_there(name):
    """Powertools sets each itself, so that replacing or reading it means something."""
    assert hasattr(APIGatewayHttpResolver(enable_validation=True), name)


def test_a_route_knows_whether_its_middlewares_are_built():
    """``_middleware_stack_built`` keeps two threads from building them twice."""
    resolver = APIGatewayHttpResolver()
    resolver.get("/")(get_nothing)
    assert resolver._static_routes[0]._middleware_stack_built is False


def test_the_served_route_is_in_the_context():
    """``context["_route"]`` is how the middleware finds the parameters that the path takes."""
    served = []

    class Spy(OpenAPIRequestValidationMiddleware):
        def handler(self, app, next_middleware):
            served.append(app.context["_route"])
            return next_middleware(app)

    resolver = APIGatewayHttpResolver(enable_validation=True)
    resolver._request_validation_middleware = Spy()
    resolver.get("/")(get_nothing)
    http = {"method": "GET", "path": "/"}
    resolver.resolve({"rawPath": "/", "headers": {}, "requestContext": {"http": http, "stage": "$default"}}, None)
    assert [route.path for route in served] == ["/"]


def test_what_is_replaced_for_the_sake_of_threads_is_still_an_attribute_of_the_class():
    """The event and the Lambda context of the request that is being served."""
    assert {"current_event", "lambda_context"} <= set(BaseRouter.__annotations__)
    assert all(isinstance(getattr(Api, name), property) for name in ("current_event", "lambda_context", "context"))


def test_this_list_is_complete():
    """No other private part of Powertools is used in the module."""
    ours = {name for cls in (Api, _StrictRequests) for name in vars(cls)}
    ours |= {name for name in re.findall(r"self\.(_\w+) = |self\.(_\w+): ", inspect.getsource(api)) for name in name}
    used = set(re.findall(r"\.(_[a-z]\w*)", inspect.getsource(api))) | {"_route"}
    listed = {name for _, name in SIGNATURES} | {
        "_request_validation_middleware",
        "_static_routes",
        "_dynamic_routes",
        "_router_middlewares",
        "_middleware_stack_built",
        "_route",
    }
    assert used - ours <= listed


def test_the_release_is_bounded_to_the_one_this_was_written_for():
    dependencies = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    assert "aws-lambda-powertools[aws-sdk]>=3.37,<3.38" in dependencies
