"""``/health`` and ``/metrics`` need no token and report the state of the engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from workflows.embedded import arns
from workflows.embedded.engine import EmbeddedEngine
from workflows.sandbox.opening import sandbox_gateways
from workflows.sandbox.settings import SandboxSettings

DEADLINE_S = 20.0
TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Starter:
    Type: AWS::Serverless::Function
    Properties:
      Handler: toy_handlers.start_machine
      Environment: {Variables: {MACHINE: !Ref Machine}}
      Events: {Start: {Type: HttpApi, Properties: {Method: POST, Path: "/start/{name}"}}}
  Machine:
    Type: AWS::Serverless::StateMachine
    Properties: {DefinitionUri: machine.asl.yaml}
"""
DEFINITION = """
QueryLanguage: JSONata
StartAt: Decide
States:
  Decide: {Type: Choice, Choices: [{Condition: "{% $states.input.name = 'waits' %}", Next: Wait}], Default: Done}
  Wait: {Type: Wait, Seconds: 3600, Next: Done}
  Done: {Type: Succeed}
"""


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[EmbeddedEngine]:
    """An engine with one machine, whose execution ``waits`` stays under way."""
    template = tmp_path / "template.yaml"
    template.write_text(TEMPLATE)
    template.with_name("machine.asl.yaml").write_text(DEFINITION)
    with EmbeddedEngine.open(
        tmp_path / "state", template=template, gateways=sandbox_gateways(SandboxSettings()), projector_apart=False
    ) as opened:
        yield opened


@pytest.fixture
def client(engine: EmbeddedEngine) -> Iterator[httpx.Client]:
    """A client that sends no token."""
    with httpx.Client(base_url=f"http://127.0.0.1:{engine.serve(0)}") as opened:
        yield opened


def metrics(client: httpx.Client) -> dict[tuple[str, ...], float]:
    """The samples by name and label values."""
    response = client.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain")
    families = text_string_to_metric_families(response.text)
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value for family in families for sample in family.samples
    }


def test_a_working_engine_is_live_and_ready(client: httpx.Client) -> None:
    assert client.get("/health/live").json() == {"status": "live"}
    assert client.get("/health/ready").json() == {"status": "ready"}
    assert client.head("/health/ready").status_code == 200


def test_an_engine_that_cannot_continue_is_live_and_not_ready(engine: EmbeddedEngine, client: httpx.Client) -> None:
    """A supervisor restarts it because it is not ready; a dead process would not answer."""
    engine.failed.set_exception(OSError("no space left on device"))
    ready = client.get("/health/ready")
    assert (ready.status_code, ready.headers["content-type"]) == (503, "application/problem+json")
    assert "no space left on device" in ready.json()["detail"]
    assert client.get("/health/live").status_code == 200


def test_metrics_count_requests_and_executions(engine: EmbeddedEngine, client: httpx.Client) -> None:
    """By route and status, by machine and status."""
    headers = {"Authorization": f"Bearer {engine.tokens.mint('service', 'ser_1')}"}
    for name in ("waits", "ends"):
        assert client.post(f"/start/{name}", headers=headers).status_code == 202
    assert client.post("/start/none").status_code == 401
    assert client.get("/nowhere").status_code == 404
    engine.executions.ended(arns.execution_arn("Machine", "ends")).result(DEADLINE_S)
    counted = metrics(client)
    assert counted["expediter_http_requests_total", "202", "POST /start/{name}"] == 2
    assert counted["expediter_http_requests_total", "401", "POST /start/{name}"] == 1
    assert counted["expediter_http_requests_total", "", "404"] == 1
    assert counted["expediter_executions_started_total", "Machine"] == 2
    assert counted["expediter_executions_ended_total", "Machine", "SUCCEEDED"] == 1
    assert counted["expediter_executions_running", "Machine"] == 1
    assert counted[("expediter_function_calls_waiting",)] == 0


def test_metrics_count_commits_that_the_feed_has_not_processed(engine: EmbeddedEngine, client: httpx.Client) -> None:
    """This template has no feed, so every commit stays unprocessed."""
    from workflows.event_store.commits import Commit

    assert metrics(client)[("expediter_feed_lag_commits",)] == 0
    for version in (1, 2):
        commit = Commit("order#1", version, f"key {version}", "2026-03-14T12:00:00.000000Z", b"", "{}")
        engine.ports.log._insert(commit)  # type: ignore[attr-defined]  # the log in SQLite
    counted = metrics(client)
    assert counted[("expediter_commits_total",)] == 2
    assert counted[("expediter_feed_lag_commits",)] == 2
