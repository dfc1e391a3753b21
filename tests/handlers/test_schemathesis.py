"""Generated requests, valid and invalid, against a running engine: every response is one that the document describes.

schemathesis makes the requests from the OpenAPI document, for two roles. It checks that there is no server error, that
statuses, content types, bodies and headers are documented, that invalid requests are refused, that methods which a
path does not take are answered 405 with Allow, and that nothing is answered without a token.
"""

from __future__ import annotations

import copy
import os
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import hypothesis
import pytest
import requests
import schemathesis
from schemathesis import Case, CheckContext, Response
from schemathesis.config import SchemathesisConfig
from schemathesis.generation.feedback import NO_FEEDBACK
from schemathesis.pytest._test_builder import build_operation_test
from schemathesis.specs.openapi.checks import allow_header_conformance, positive_data_acceptance, unsupported_method

from domain.identifiers import order_id_for
from tests.handlers.documented import documentation
from workflows.cli.demo.engine_process import EngineProcess, engine
from workflows.cli.order_commands import EXAMPLE
from workflows.client import ExpediterClient
from workflows.embedded.http.tokens import AccessTokens

CALLERS = {"customer": "ada", "support": "sue"}
PLACED = [order_id_for("customer/ada", key) for key in ("placed", "accepted", "cancelled")]

EXAMPLES = int(os.environ.get("EXAMPLES", "3"))
"""Requests generated for an operation and a role, beside those that cover each limit of each parameter once.

A menu takes a second to generate, so the suite makes few; after a change to the API: ``EXAMPLES=20``.
"""


def with_known_orders(document: dict[str, Any]) -> dict[str, Any]:
    """The document with the ids of orders that exist, so that most requests get beyond 404.

    A list that waits for the write of an unknown order takes a second, and there are hundreds of them:
    ``tests.search.test_order_list`` has that case.
    """
    known = copy.deepcopy(document)
    for item in known["paths"].values():
        for operation in item.values():
            for parameter in operation.get("parameters", ()):
                if parameter["name"] == "order_id":
                    parameter["schema"] = {"enum": [*PLACED, "ord_" + "a" * 26]}
                elif parameter["name"] == "wait_for":
                    parameter["schema"] = {"enum": [f"{order_id}:1" for order_id in PLACED]}
    return known


ALL_REFUSALS = [400, 401, 403, 404, 405, 406, 409, 413, 415, 422, 429, "5xx"]
"""For requests that violate their schema. A body with too many items may be refused for its size (413)."""


@cache
def documented(limits: bool) -> schemathesis.BaseSchema:
    """Return the document. With ``limits``, requests cover each limit of each parameter once, too."""
    checks = {"negative_data_rejection": {"expected-statuses": ALL_REFUSALS}}
    config = {"checks": checks, "phases": {"coverage": {"enabled": limits}}}
    return schemathesis.openapi.from_dict(
        with_known_orders(documentation()), config=SchemathesisConfig.from_dict(config)
    )


OPERATIONS = [f"{method.upper()} {path}" for path, item in documentation()["paths"].items() for method in item]

# Refusals of requests that match their schema: what the document's description lists as beyond a schema.
BEYOND_SCHEMAS = re.compile(
    "must be a whole number"  # 2.0 is an integer to JSON Schema
    "|at most [0-3] decimals|an ISO 4217 currency"  # depends on the currency
    "|is not a cursor of|send version or at, not both|send it with If-None-Match, and without version and at"
    "|send it with currency|is not an amount in|send phone, email or name|has nothing to look up"
    "|send one of order_ids, filter and group|send at least one filter"
    "|must be before (placed|recorded|read)_to"
    "|must not be after day_to|must not be more than amount_max"
    "|must be at most|there is no such time"  # times before year 1 in UTC
    "|send either these or cause|is required for a credit|is required; a dry run answers with it"
    "|is required for [a-z_]+$|is not used for [a-z_]+; leave it out"
)


IF_MATCH = re.compile(
    next(
        parameter["schema"]["pattern"]
        for parameter in documentation()["paths"]["/orders/{order_id}/cancel"]["post"]["parameters"]
        if parameter["name"] == "if-match"
    )
)


@schemathesis.check
def refusals_of_valid_requests_are_documented(ctx: CheckContext, response: Response, case: Case) -> None:
    """A request that matches its schema is refused only by a named rule, or for a reason that the document lists."""
    assert case.meta is not None
    valid = all(component.mode.is_positive for component in case.meta.components.values())
    if_match = case.headers.get("if-match", "*")
    if not IF_MATCH.fullmatch(if_match):
        valid = False  # schemathesis tries "0" as a valid value of this header, which its pattern does not admit
    if response.request.method != case.operation.method.upper():
        valid = False  # GET takes /orders/search as an order's id
    if not valid or response.status_code not in {400, 422}:
        return
    problem = response.json()
    if problem["type"].endswith((":InvalidRequest", ":MalformedBody")):
        beyond = [error for error in problem["errors"] if not BEYOND_SCHEMAS.search(error["problem"])]
        assert not beyond, f"the schema admits it, and the document does not say why it is refused: {problem}"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineProcess]:
    """An engine with an order that was placed, one that the restaurant accepted, and one that was cancelled."""
    with engine(tmp_path_factory.mktemp("engine")) as process:
        with ExpediterClient(process.url, token(process, "customer")) as client:
            for key in ("placed", "accepted", "cancelled"):
                client.place(EXAMPLE, key)
        with ExpediterClient(process.url, token(process, "support")) as client:
            client.accept(PLACED[1], datetime.now(UTC) + timedelta(minutes=30))
            client.cancel(PLACED[2], "ordered by mistake")
        yield process


def token(process: EngineProcess, role: str) -> str:
    return AccessTokens.of(process.data).mint(role, CALLERS[role])


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    """Kept connections: they halve the time of this module."""
    with requests.Session() as kept:
        yield kept


few_examples = hypothesis.settings(
    max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(hypothesis.HealthCheck)
)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_response_to_support_is_documented(
    operation: str, running: EngineProcess, session: requests.Session
) -> None:
    """Limits of parameters depend on no role, and take half of the time, so only support tries them."""
    requests_of(operation, lambda case: check(case, running, session, "support"), limits=True)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_response_to_a_customer_is_documented(
    operation: str, running: EngineProcess, session: requests.Session
) -> None:
    requests_of(operation, lambda case: check(case, running, session, "customer"), limits=False)


def requests_of(operation: str, send: Callable[[Case], None], limits: bool) -> None:
    """Make the requests of an operation, and send each.

    ``schema.parametrize()`` makes those at the limits of parameters when tests are collected: 13 s of CPU in each test
    process, for requests that one of them sends. So this calls what it calls.
    """
    schema = documented(limits)
    found = schema.find_operation_by_label(operation)
    assert found is not None, f"the document has no {operation}"

    @few_examples
    def send_case(case: Case) -> None:
        send(case)

    build_operation_test(
        config=schema.config, operation=found, test_func=send_case, given_kwargs={}, feedback=NO_FEEDBACK
    )()


def check(case: Case, running: EngineProcess, session: requests.Session, role: str) -> None:
    """Send a request as one role, and check the response against the document."""
    case.call_and_validate(
        base_url=running.url,
        session=session,
        headers={"Authorization": f"Bearer {token(running, role)}"},
        additional_checks=[refusals_of_valid_requests_are_documented],
        excluded_checks=[
            positive_data_acceptance,  # refusals_of_valid_requests_are_documented is more exact
            # GET takes this path as an order's id
            *([allow_header_conformance, unsupported_method] if case.path == "/orders/search" else []),
        ],
    )


@pytest.mark.parametrize("size", [600 * 1024, 11 * 1024 * 1024])
@pytest.mark.parametrize("announced", [True, False])
def test_a_body_that_is_too_large_gets_its_413(running: EngineProcess, size: int, announced: bool) -> None:
    """The client is still sending when the limit is reached. A reset connection would hide the answer from it."""
    body = b"x" * size
    headers = {"Authorization": f"Bearer {token(running, 'customer')}", "Content-Type": "application/json"}
    for _ in range(3):
        answer = requests.post(
            f"{running.url}/orders", body if announced else iter([body]), headers=headers, timeout=30
        )
        assert (answer.status_code, answer.json()["status"]) == (413, 413)
