"""The artifact of a function holds exactly the packages and the locked dependencies; every handler runs from it."""

from __future__ import annotations

import json
import re
import socket
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from tests.packaging.artifact import REPOSITORY, build, call
from tests.template.translated import state_outputs
from workflows.embedded.template import read_template

OURS = ("domain", "handlers", "workflows")
FUNCTIONS = read_template(REPOSITORY / "template.yaml", state_outputs()).functions

UNZIPPED_MAX_MB = 250
"""Lambda's limit: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html."""

NEVER_SHIPPED = {"apsw", "greenlet", "re2", "httpx", "rich", "typer", "uvicorn", "jwt", "yaml", "moto", "pytest"}
"""Packages that only the embedded engine, the command line or the tests use."""

LEAN = ("SagaStep", "Feed", "Publisher", "Timer", "ExecutionFaults", "Webhooks")
HEAVY = NEVER_SHIPPED | {"pydantic", "pydantic_core", "aws_lambda_powertools"}
"""Packages that take a tenth of a second at a cold start and are not used by those functions."""

PLACED = "ord_abcdefghijklmnopqrstuvwxyz"


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("artifact"))


@pytest.fixture(scope="module")
def nowhere() -> str:
    """An endpoint on which no server listens."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port: int = closed.getsockname()[1]
    return f"http://127.0.0.1:{port}"


def http(method: str, path: str) -> dict[str, Any]:
    """Build the event of a request without a token, as an HTTP API sends it."""
    return {
        "version": "2.0",
        "routeKey": f"{method} {path.replace(PLACED, '{order_id}')}",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {},
        "pathParameters": {"order_id": PLACED} if PLACED in path else {},
        "requestContext": {"http": {"method": method, "path": path}, "stage": "$default", "requestId": "r"},
    }


def test_the_artifact_holds_exactly_the_packages_and_the_locked_dependencies(artifact: Path) -> None:
    """The shipped code is the tested code: nothing is added and nothing is missing."""
    lines = re.findall(r"^[\w.-]+==[^\\]+", (REPOSITORY / "requirements-lambda.lock").read_text(), re.M)
    locked = [each for each in map(Requirement, lines) if each.marker is None or each.marker.evaluate()]
    shipped = {path.name for path in artifact.glob("*.dist-info")}
    expected = {f"{each.name.replace('-', '_')}-{str(each.specifier)[2:]}.dist-info" for each in locked}
    assert shipped == expected | {"expediter.dist-info"}
    recorded = {line.split("/")[0] for path in artifact.glob("*.dist-info/RECORD") for line in path.open()}
    others = {path.name for path in artifact.iterdir()} - shipped - {"__pycache__"}
    assert others - set(OURS) <= {name.split(",")[0] for name in recorded}
    assert not others & NEVER_SHIPPED


@pytest.mark.parametrize("package", OURS)
def test_the_packages_are_complete(artifact: Path, package: str) -> None:
    """Every file equals that of the repository, byte by byte."""

    def files(root: Path) -> dict[str, bytes]:
        paths = (path for path in (root / package).rglob("*") if path.is_file() and path.suffix != ".pyc")
        return {str(path.relative_to(root)): path.read_bytes() for path in paths}

    assert files(artifact) == files(REPOSITORY)


def test_the_artifact_is_far_below_lambda_s_size_limit(artifact: Path, record_property: Any) -> None:
    """Prints the unzipped megabytes by package. Bytecode is shipped, so that no cold start compiles it."""

    def megabytes(path: Path) -> float:
        return sum(file.stat().st_size for file in path.rglob("*") if file.is_file()) / 1e6

    sizes = {path.name: megabytes(path) for path in artifact.iterdir() if path.is_dir()}
    largest = sorted(sizes.items(), key=lambda item: -item[1])[:8]
    report = ", ".join(f"{name} {size:.1f}" for name, size in largest if size >= 0.1)
    print(f"artifact: {megabytes(artifact):.0f} MB unzipped: {report}")
    record_property("artifact_mb", megabytes(artifact))
    assert megabytes(artifact) < UNZIPPED_MAX_MB * 3 / 4  # fonts and shaping of receipts are a fifth of it
    assert list((artifact / "workflows").rglob("actions*.pyc"))


CALLS: dict[str, tuple[Any, str]] = {
    "OrdersApi": (http("GET", "/openapi.json"), '"openapi": "3.1'),
    "CatalogueApi": (http("POST", "/restaurants"), '"statusCode": 401'),
    "PreparationApi": (http("POST", f"/orders/{PLACED}/preparation/accept"), '"statusCode": 401'),
    "DeliveryApi": (http("POST", f"/orders/{PLACED}/delivery/assign"), '"statusCode": 401'),
    "IncidentsApi": (http("GET", "/incidents"), '"statusCode": 401'),
    "BulkApi": (http("POST", "/bulk"), '"statusCode": 401'),
    "ExecutionsApi": (http("GET", f"/orders/{PLACED}/runs"), '"statusCode": 401'),
    "SearchApi": (http("GET", "/orders"), '"statusCode": 401'),
    "SagaStep": ({"order_id": PLACED, "run": 1, "action": "find_reason"}, "StreamUnavailable"),
    "Feed": ({"Records": []}, '{"batchItemFailures": []}'),
    "Publisher": ({"Records": []}, '{"batchItemFailures": []}'),
    "Timer": ({}, "DocumentsUnavailable"),
    "Checkpoints": ({}, '"checkpoints": 0'),
    "Exporter": ({"export": "exp_x"}, "NoViewsDatabase"),
    "Archiver": ({}, '"orders": 0'),
    "AuditApi": (http("GET", "/audit/checkpoints"), '"statusCode": 401'),
    "ExecutionFaults": ({"Records": []}, '{"batchItemFailures": []}'),
    "CustomersApi": (http("GET", "/erasures"), '"statusCode": 401'),
    "WebhooksApi": (http("GET", "/webhooks"), '"statusCode": 401'),
    "Webhooks": ({}, "DocumentsUnavailable"),
}
"""For each function a small event, and a text of its answer or error when AWS does not answer."""


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_handler_runs_from_the_artifact(artifact: Path, nowhere: str, function: str) -> None:
    """A module that the artifact lacks is found here, not on AWS."""
    event, expected = CALLS[function]
    credentials = {"AWS_ACCESS_KEY_ID": "nobody", "AWS_SECRET_ACCESS_KEY": "nobody", "AWS_DEFAULT_REGION": "eu-west-1"}
    deployed = FUNCTIONS[function]
    environment = {**deployed.environment, **credentials, "AWS_ENDPOINT_URL": nowhere}
    if function == "SagaStep":
        environment |= {f"{name}_URL": "https://provider.example" for name in ("PAYMENTS", "KITCHEN", "COURIERS")}
    result = call(artifact, deployed.handler, event, environment)
    text = result["error"] or json.dumps(result["answer"]).replace("\\", "")
    assert expected in text
    assert result["elsewhere"] == []
    if function in LEAN:
        assert not {name.split(".")[0] for name in result["imported"]} & HEAVY
