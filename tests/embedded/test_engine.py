"""The engine as a whole: opened on a folder, served, closed, opened again."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
import toy_handlers as toys

from workflows.embedded import arns
from workflows.embedded.engine import EmbeddedEngine
from workflows.embedded.template import ParameterUnknown, TemplateInvalid
from workflows.event_store.commits import Commit
from workflows.sandbox.opening import sandbox_gateways
from workflows.sandbox.settings import SandboxSettings
from workflows.sqlite.database import DatabaseInUse

DEADLINE_S = 20.0
TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Parameters:
  Place: {Type: String, Default: engine}
Resources:
  Starter:
    Type: AWS::Serverless::Function
    Properties:
      Handler: toy_handlers.start_machine
      Environment: {Variables: {MACHINE: !Ref Machine}}
      Events: {Start: {Type: HttpApi, Properties: {Method: POST, Path: "/start/{name}"}}}
  Echo: {Type: "AWS::Serverless::Function", Properties: {Handler: toy_handlers.echo}}
  Feed:
    Type: AWS::Serverless::Function
    Properties: {Handler: toy_handlers.follow, Environment: {Variables: {PLACE: !Ref Place}}}
  Machine:
    Type: AWS::Serverless::StateMachine
    Properties: {DefinitionUri: machine.asl.yaml, DefinitionSubstitutions: {Echo: !GetAtt Echo.Arn}}
"""
SANDBOX = sandbox_gateways(SandboxSettings())

DEFINITION = """
QueryLanguage: JSONata
StartAt: Do
States:
  Do:
    Type: Task
    Resource: arn:aws:states:::lambda:invoke
    Arguments: {FunctionName: "${Echo}", Payload: "{% $states.input %}"}
    Output: "{% $states.result.Payload %}"
    End: true
"""


@pytest.fixture
def template(tmp_path: Path) -> Path:
    """A template in a folder of its own, beside the engine's."""
    path = tmp_path / "template" / "template.yaml"
    path.parent.mkdir()
    path.write_text(TEMPLATE)
    path.with_name("machine.asl.yaml").write_text(DEFINITION)
    return path


def test_a_hundred_requests_at_once_start_a_hundred_executions(tmp_path: Path, template: Path) -> None:
    """From HTTP through a function to a machine and its functions; a repeated start starts nothing."""
    names = [f"n{number}" for number in range(100)]
    with EmbeddedEngine.open(tmp_path / "state", template=template, gateways=SANDBOX, projector_apart=False) as engine:
        url, token = f"http://127.0.0.1:{engine.serve(0)}", engine.tokens.mint("service", "ser_1")
        with httpx.Client(headers={"Authorization": f"Bearer {token}"}) as client, ThreadPoolExecutor(20) as threads:
            answers = list(threads.map(lambda name: client.post(f"{url}/start/{name}").status_code, names * 2))
        assert set(answers) == {202}
        for name in names:
            arn = arns.execution_arn("Machine", name)
            engine.executions.ended(arn).result(DEADLINE_S)
            assert json.loads(engine.reports.describe(arn)["output"]) == {"name": name}
        assert len(engine.reports.latest(limit=1000)) == 100
    with EmbeddedEngine.open(tmp_path / "state", template=template, gateways=SANDBOX, projector_apart=False) as engine:
        assert engine.reports.state_entries("n7").standard == 1


def test_a_second_engine_on_a_folder_is_refused(tmp_path: Path, template: Path) -> None:
    """The first continues; once it is closed, the folder is free."""
    with (
        EmbeddedEngine.open(tmp_path / "state", template=template, gateways=SANDBOX, projector_apart=False),
        pytest.raises(DatabaseInUse, match="state"),
    ):
        EmbeddedEngine.open(tmp_path / "state", template=template, gateways=SANDBOX, projector_apart=False)
    EmbeddedEngine.open(tmp_path / "state", template=template, gateways=SANDBOX, projector_apart=False).close()


@pytest.mark.parametrize(
    ("parameters", "definition", "error"),
    [({"Plaice": "x"}, DEFINITION, ParameterUnknown), ({}, "nonsense", TemplateInvalid)],
)
def test_what_cannot_run_leaves_no_folder_behind(
    tmp_path: Path, template: Path, parameters: Any, definition: str, error: type[Exception]
) -> None:
    """Everything is read before anything is written."""
    template.with_name("machine.asl.yaml").write_text(definition)
    with pytest.raises(error):
        EmbeddedEngine.open(
            tmp_path / "state", template=template, parameters=parameters, gateways=SANDBOX, projector_apart=False
        )
    assert not (tmp_path / "state").exists()


def test_a_commit_reaches_the_feed(tmp_path: Path, template: Path) -> None:
    """Commits of this engine; those from before its start come first."""
    with EmbeddedEngine.open(
        tmp_path / "state",
        template=template,
        parameters={"Place": "engine feed"},
        gateways=SANDBOX,
        projector_apart=False,
    ) as engine:
        log: Any = engine.ports.log
        log._insert(Commit("order#1", 1, "key", "2026-03-14T12:00:00.000000Z", b"", "{}"))
        assert toys.PLACES["engine feed"].came.acquire(timeout=DEADLINE_S)
    assert toys.PLACES["engine feed"].visits == ["order#1 1"]
