"""Reading a definition: JSON and YAML give the same immutable machine."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from workflows.asl.reading import source
from workflows.asl.reading.definition import parse
from workflows.asl.reading.source import read
from workflows.asl.reading.states import Choice, Map, Parallel, Task, Wait
from workflows.asl.reading.templates import Literal
from workflows.asl.run import run

YAML = """
Comment: one of each
QueryLanguage: JSONata
StartAt: Ask
TimeoutSeconds: 60
States:
  Ask:
    Type: Task
    Resource: arn:aws:lambda:eu-west-1:123456789012:function:ask:live
    TimeoutSeconds: "{% $states.input.limit %}"
    HeartbeatSeconds: 5
    Retry: [{ErrorEquals: [States.Timeout], MaxAttempts: 0, BackoffRate: 1, JitterStrategy: FULL, MaxDelaySeconds: 9}]
    Catch: [{ErrorEquals: [States.ALL], Next: "No"}]
    Next: IsIt
  IsIt:
    Type: Choice
    Choices: [{Condition: "{% $states.input.yes %}", Next: Both, Assign: {late: true}}]
    Default: "No"
  Both:
    Type: Parallel
    Branches:
      - {StartAt: Left, States: {Left: {Type: Wait, Timestamp: 2026-03-14T01:59:26Z, End: true}}}
      - {StartAt: Right, States: {Right: {Type: Fail, Error: Oops}}}
    Next: Each
  Each: {Type: Map, Items: [1, 2], ItemProcessor: {StartAt: One, States: {One: {Type: Pass, End: true}}}, End: true}
  "No": {Type: Succeed}
"""


def test_json_and_yaml_give_the_same_machine() -> None:
    """AWS tools accept both. Only the text and its digest differ."""
    first = parse(YAML, name="m")
    second = parse(json.dumps(first.raw), name="m")
    assert first.raw == second.raw
    assert first.digest != second.digest
    assert (first.comment, first.timeout_s, first.name) == ("one of each", 60, "m")
    assert [type(s) for s in first.scope.states.values()][:4] == [Task, Choice, Parallel, Map]


def test_a_date_without_quotes_is_read_as_text() -> None:
    """YAML would read a datetime, which JSON does not have."""
    both = parse(YAML, name="m").scope.states["Both"]
    assert isinstance(both, Parallel)
    wait = both.branches[0].states["Left"]
    assert isinstance(wait, Wait)
    assert wait.timestamp == Literal("2026-03-14T01:59:26Z")


def test_a_definition_reads_the_same_without_libyaml(monkeypatch: pytest.MonkeyPatch) -> None:
    """PyYAML is installed without libyaml where no wheel fits the machine."""
    fast = read(YAML)
    monkeypatch.setattr(source, "_libyaml_loader", lambda: yaml.SafeLoader)
    assert read(YAML) == fast


def test_a_text_that_only_pyyaml_accepts_is_read() -> None:
    """Definitions that a journal holds were read by PyYAML's own parser."""
    text = "{b:[c]}"
    with pytest.raises(yaml.YAMLError):
        yaml.load(text, yaml.CSafeLoader)  # a safe loader
    assert read(text) == {"b": ["c"]}


def test_retry_defaults_are_those_of_aws(task: Callable[..., Any], machine: Callable[..., Any]) -> None:
    """AWS docs, Error handling: 1 s, 3 attempts, rate 2.0, no cap, no jitter."""
    text = json.dumps(machine({"A": task(Retry=[{"ErrorEquals": ["E"]}])}))
    state = parse(text, name="m").scope.states["A"]
    assert isinstance(state, Task)
    assert dataclasses.asdict(state.retry[0]) == {
        "errors": ("E",),
        "interval_s": 1,
        "attempts_max": 3,
        "backoff_rate": 2.0,
        "delay_max_s": None,
        "full_jitter": False,
    }


def test_a_definition_cannot_be_changed() -> None:
    """All executions and threads share it."""
    definition = parse(YAML, name="m")
    with pytest.raises(dataclasses.FrozenInstanceError):
        definition.name = "other"  # type: ignore[misc]  # the assignment under test


def test_jsonpath_and_intrinsics_are_plain_text() -> None:
    """Recorded on AWS: in a JSONata state, JSONPath, intrinsics and variables in plain strings are constants."""
    constants = {"path": "$.a", "key.$": "$", "intrinsic": "States.Format('{}', 1)", "variable": "$x", "empty": ""}
    ended = run({"QueryLanguage": "JSONata", "StartAt": "A", "States": {"A": {"Type": "Succeed", "Output": constants}}})
    assert ended.output == constants


@pytest.mark.parametrize("arn", ["arn:aws-cn:states:::lambda:invoke", "arn:aws-us-gov:states:::lambda:invoke"])
def test_arns_of_other_partitions_name_the_same_integration(
    arn: str, task: Callable[..., Any], machine: Callable[..., Any]
) -> None:
    """The partition of an ARN (aws, aws-cn, aws-us-gov) makes no difference."""
    assert parse(json.dumps(machine({"A": task(Resource=arn)})), name="m").scope.start_at == "A"


def test_a_comment_may_hold_anything() -> None:
    """Placeholders and braces in a comment are not checked."""
    text = (
        '{"QueryLanguage":"JSONata","Comment":"{% ${x}","StartAt":"A","States":{"A":{"Type":"Succeed","Comment":"{%"}}}'
    )
    assert parse(text, name="m").comment == "{% ${x}"
