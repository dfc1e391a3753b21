"""Definitions that are invalid, or would not run here exactly as on AWS, are refused when they are read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from workflows.asl.reading.definition import InvalidDefinition, MissingSubstitution, parse, substitute

INVOKE = "arn:aws:states:::lambda:invoke"
PASS = {"Type": "Pass", "End": True}
TASK = {"Type": "Task", "Resource": INVOKE, "Arguments": {"FunctionName": "f"}, "End": True}


def top(**fields: Any) -> dict[str, Any]:
    return {"QueryLanguage": "JSONata", "StartAt": "A", "States": {"A": PASS}} | fields


def only(state: dict[str, Any]) -> dict[str, Any]:
    return top(States={"A": state})


def task(**fields: Any) -> dict[str, Any]:
    return only(TASK | fields)


def states(**states: dict[str, Any]) -> dict[str, Any]:
    return top(States=states)


RETRY = {"ErrorEquals": ["E"]}
BRANCH = {"StartAt": "B", "States": {"B": PASS}}

TABLE: list[tuple[str, dict[str, Any], str, str, str]] = [
    # what, definition, state, field, a part of the sentence
    ("no query language", {"StartAt": "A", "States": {"A": PASS}}, "", "QueryLanguage", "the default"),
    ("JSONPath", top(QueryLanguage="JSONPath"), "", "QueryLanguage", "only JSONata"),
    ("unknown top field", top(Foo=1), "", "Foo", "is not a field here"),
    ("version", top(Version="2.0"), "", "Version", "1.0"),
    ("no StartAt", {"QueryLanguage": "JSONata", "States": {"A": PASS}}, "", "StartAt", "required"),
    ("StartAt elsewhere", top(StartAt="X"), "", "StartAt", "no state 'X'"),
    ("no states", {"QueryLanguage": "JSONata", "StartAt": "A"}, "", "States", "must be an object"),
    ("empty states", top(States={}), "", "States", "not empty"),
    ("state is no object", top(States={"A": 1}), "A", "Type", "must be an object"),
    ("machine timeout 0", top(TimeoutSeconds=0), "", "TimeoutSeconds", "from 1 to 99999999"),
    ("machine timeout expression", top(TimeoutSeconds="{% 1 %}"), "", "TimeoutSeconds", "whole number"),
    ("unknown type", only({"Type": "Activity", "End": True}), "A", "Type", "not a type of state"),
    ("type missing", only({"End": True}), "A", "Type", "not a type of state"),
    ("state language", only(PASS | {"QueryLanguage": "JSONPath"}), "A", "QueryLanguage", "must be JSONata"),
    ("name too long", {**top(StartAt="x" * 81), "States": {"x" * 81: PASS}}, "x" * 81, "name", "80 characters"),
    ("Next elsewhere", only({"Type": "Pass", "Next": "X"}), "A", "Next", "no state 'X'"),
    ("Next and End", only({"Type": "Pass", "Next": "A", "End": True}), "A", "Next", "exactly one"),
    ("neither Next nor End", only({"Type": "Pass"}), "A", "Next", "exactly one"),
    ("End false", only({"Type": "Pass", "End": False}), "A", "End", "must be true"),
    ("Next on Succeed", only({"Type": "Succeed", "Next": "A"}), "A", "Next", "is not a field here"),
    ("End on Fail", only({"Type": "Fail", "End": True}), "A", "End", "is not a field here"),
    ("Assign on Succeed", only({"Type": "Succeed", "Assign": {}}), "A", "Assign", "is not a field here"),
    ("Retry on Pass", only(PASS | {"Retry": []}), "A", "Retry", "is not a field here"),
    ("Timeout on Parallel", only({"Type": "Parallel", "Branches": [BRANCH], "TimeoutSeconds": 1, "End": True}),
     "A", "TimeoutSeconds", "is not a field here"),
    ("unreachable", states(A=PASS, B=PASS), "B", "name", "no state leads here"),
    ("no end", states(A={"Type": "Pass", "Next": "B"}, B={"Type": "Pass", "Next": "A"}), "", "States", "no state ends"),
    ("InputPath", only(PASS | {"InputPath": "$"}), "A", "InputPath", "belongs to JSONPath"),
    ("Parameters", task(Parameters={}), "A", "Parameters", "use Arguments"),
    ("ResultSelector", task(ResultSelector={}), "A", "ResultSelector", "use Output"),
    ("ResultPath", task(ResultPath="$"), "A", "ResultPath", "use Output"),
    ("OutputPath", task(OutputPath="$"), "A", "OutputPath", "use Output"),
    ("Result", only(PASS | {"Result": 1}), "A", "Result", "use Output"),
    ("Credentials", task(Credentials={}), "A", "Credentials", "not supported"),
    ("activity", task(Resource="arn:aws:states:eu-west-1:123456789012:activity:a"), "A", "Resource", "Activities"),
    ("other service", task(Resource="arn:aws:states:::sqs:sendMessage"), "A", "Resource", "nothing performs calls"),
    ("sdk integration", task(Resource="arn:aws:states:::aws-sdk:dynamodb:getItem"), "A", "Resource",
     "nothing performs calls"),
    ("http task", task(Resource="arn:aws:states:::http:invoke"), "A", "Resource", "nothing performs calls"),
    ("unknown service", task(Resource="arn:aws:states:::glue:startJobRun.sync"), "A", "Resource", "not supported"),
    ("invoke sync", task(Resource=INVOKE + ".sync"), "A", "Resource", "not supported"),
    ("express with token", task(Resource="arn:aws:states:::aws-sdk:sfn:startSyncExecution.waitForTaskToken"),
     "A", "Resource", "nothing performs calls"),
    ("no Resource", only({"Type": "Task", "End": True}), "A", "Resource", "is required"),
    ("argument missing", task(Arguments={}), "A", "Arguments", "'FunctionName' is required"),
    ("argument unknown", task(Arguments={"FunctionName": "f", "Foo": 1}), "A", "Arguments", "'Foo' is not supported"),
    ("argument type", task(Arguments={"FunctionName": 1}), "A", "Arguments", "must be a STRING"),
    ("async invocation", task(Arguments={"FunctionName": "f", "InvocationType": "Event"}), "A", "Arguments", "Event"),
    ("arguments no object", task(Arguments=[1]), "A", "Arguments", "must be an object"),
    ("timeout 0", task(TimeoutSeconds=0), "A", "TimeoutSeconds", "from 1"),
    ("timeout float", task(TimeoutSeconds=1.5), "A", "TimeoutSeconds", "whole number"),
    ("timeout bool", task(TimeoutSeconds=True), "A", "TimeoutSeconds", "whole number"),
    ("timeout too long", task(TimeoutSeconds=100_000_000), "A", "TimeoutSeconds", "99999999"),
    ("heartbeat not below", task(TimeoutSeconds=5, HeartbeatSeconds=5), "A", "HeartbeatSeconds", "less than"),
    ("wait without", only({"Type": "Wait", "End": True}), "A", "Seconds", "exactly one"),
    ("wait with both", only({"Type": "Wait", "Seconds": 1, "Timestamp": "2026-01-01T00:00:00Z", "End": True}),
     "A", "Seconds", "exactly one"),
    ("wait timestamp", only({"Type": "Wait", "Timestamp": "tomorrow", "End": True}), "A", "Timestamp", "a time like"),
    ("wait negative", only({"Type": "Wait", "Seconds": -1, "End": True}), "A", "Seconds", "from 0"),
    ("choice empty", only({"Type": "Choice", "Choices": []}), "A", "Choices", "not empty"),
    ("choice JSONPath", states(A={"Type": "Choice", "Choices": [{"Variable": "$.a", "Next": "B"}]}, B=PASS),
     "A", "Choices[0]/Variable", "use Condition"),
    ("choice no Next", only({"Type": "Choice", "Choices": [{"Condition": True}]}), "A", "Choices[0]/Next", "required"),
    ("choice condition text", states(A={"Type": "Choice", "Choices": [{"Condition": "yes", "Next": "B"}]}, B=PASS),
     "A", "Choices[0]/Condition", "an expression"),
    ("choice Default elsewhere", states(
        A={"Type": "Choice", "Choices": [{"Condition": True, "Next": "B"}], "Default": "X"}, B=PASS),
     "A", "Default", "no state 'X'"),
    ("retry no list", task(Retry={}), "A", "Retry", "must be a list"),
    ("retry no errors", task(Retry=[{}]), "A", "Retry[0]/ErrorEquals", "list of error names"),
    ("retry empty errors", task(Retry=[{"ErrorEquals": []}]), "A", "Retry[0]/ErrorEquals", "not empty"),
    ("retry ALL not alone", task(Retry=[{"ErrorEquals": ["States.ALL", "E"]}]), "A", "Retry[0]/ErrorEquals", "alone"),
    ("retry ALL not last", task(Retry=[{"ErrorEquals": ["States.ALL"]}, RETRY]), "A", "Retry[0]/ErrorEquals", "last"),
    ("catch ALL not last", states(A=TASK | {"Catch": [
        {"ErrorEquals": ["States.ALL"], "Next": "B"}, {"ErrorEquals": ["E"], "Next": "B"}]}, B=PASS),
     "A", "Catch[0]/ErrorEquals", "last"),
    ("retry unknown States error", task(Retry=[{"ErrorEquals": ["States.Oops"]}]),
     "A", "Retry[0]/ErrorEquals", "not an error of Step Functions"),
    ("retry attempts", task(Retry=[RETRY | {"MaxAttempts": -1}]), "A", "Retry[0]/MaxAttempts", "from 0"),
    ("retry interval", task(Retry=[RETRY | {"IntervalSeconds": 0}]), "A", "Retry[0]/IntervalSeconds", "from 1"),
    ("retry rate", task(Retry=[RETRY | {"BackoffRate": 0.5}]), "A", "Retry[0]/BackoffRate", "at least 1.0"),
    ("retry delay", task(Retry=[RETRY | {"MaxDelaySeconds": 31_622_400}]), "A", "Retry[0]/MaxDelaySeconds", "31622399"),
    ("retry jitter", task(Retry=[RETRY | {"JitterStrategy": "SOME"}]), "A", "Retry[0]/JitterStrategy", "FULL or NONE"),
    ("retry field", task(Retry=[RETRY | {"Next": "A"}]), "A", "Retry[0]/Next", "is not a field"),
    ("catch elsewhere", task(Catch=[{"ErrorEquals": ["E"], "Next": "X"}]), "A", "Catch[0]/Next", "no state 'X'"),
    ("catch ResultPath", task(Catch=[{"ErrorEquals": ["E"], "Next": "A", "ResultPath": "$"}]),
     "A", "Catch[0]/ResultPath", "use Output"),
    ("expression broken", only(PASS | {"Output": "{% (1 + %}"}), "A", "Output", "is not JSONata"),
    ("expression regex", only(PASS | {"Output": "{% $match('a', /(/) %}"}), "A", "Output", "is not JSONata"),
    ("expression with a space before", only(PASS | {"Output": " {% 1 %}"}), "A", "Output", "the whole string"),
    ("expression within text", only(PASS | {"Output": {"a": ["x {% 1 %}"]}}), "A", "Output/a[0]", "the whole string"),
    ("expression not closed", only(PASS | {"Output": "{% 1"}), "A", "Output", "the whole string"),
    ("broken in Assign", only(PASS | {"Assign": {"x": "{% ) %}"}}), "A", "Assign/x", "is not JSONata"),
    ("broken in Arguments", task(Arguments={"FunctionName": "f", "Payload": {"a": "{% [ %}"}}),
     "A", "Arguments/Payload/a", "is not JSONata"),
    ("broken in TimeoutSeconds", task(TimeoutSeconds="{% ( %}"), "A", "TimeoutSeconds", "is not JSONata"),
    ("broken in Condition", states(A={"Type": "Choice", "Choices": [{"Condition": "{% = %}", "Next": "B"}]}, B=PASS),
     "A", "Choices[0]/Condition", "is not JSONata"),
    ("bare name", only(PASS | {"Output": "{% order_id %}"}), "A", "Output", "$states.input.order_id"),
    ("bare $", only(PASS | {"Output": "{% $ %}"}), "A", "Output", "top level"),
    ("$$", only(PASS | {"Output": "{% $$.a %}"}), "A", "Output", "'$$'"),
    ("$eval", only(PASS | {"Output": "{% $eval('1') %}"}), "A", "Output", "use $parse"),
    ("unknown function", only(PASS | {"Output": "{% $sha(1) %}"}), "A", "Output", "not a function"),
    ("$states.result too early", task(Arguments={"FunctionName": "{% $states.result %}"}),
     "A", "Arguments/FunctionName", "$states.result has no value here"),
    ("$states.errorOutput outside Catch", task(Output="{% $states.errorOutput %}"), "A", "Output", "has no value here"),
    ("$states.foo", only(PASS | {"Output": "{% $states.foo %}"}), "A", "Output", "no field 'foo'"),
    ("assign $states", only(PASS | {"Assign": {"states": 1}}), "A", "Assign/states", "reserved"),
    ("assign with $", only(PASS | {"Assign": {"$x": 1}}), "A", "Assign/$x", "not a variable name"),
    ("assign path", only(PASS | {"Assign": {"a.b": 1}}), "A", "Assign/a.b", "not a variable name"),
    ("assign long name", only(PASS | {"Assign": {"x" * 81: 1}}), "A", "Assign/" + "x" * 81, "80"),
    ("assign no object", only(PASS | {"Assign": "{% 1 %}"}), "A", "Assign", "must be an object"),
    ("placeholder left", only(PASS | {"Output": "${Name}"}), "", "States/A/Output", "${Name} has no value"),
    ("no branches", only({"Type": "Parallel", "Branches": [], "End": True}), "A", "Branches", "not empty"),
    ("same name in a branch", only({"Type": "Parallel", "End": True, "Branches": [
        {"StartAt": "A", "States": {"A": PASS}}]}), "A/Branches[0]/A", "name", "taken by 'A'"),
    ("same name in two branches", only({"Type": "Parallel", "End": True, "Branches": [BRANCH, BRANCH]}),
     "A/Branches[1]/B", "name", "taken"),
    ("Next out of a branch", states(A={"Type": "Parallel", "Next": "C", "Branches": [
        {"StartAt": "B", "States": {"B": {"Type": "Pass", "Next": "C"}}}]}, C=PASS),
     "A/Branches[0]/B", "Next", "in this scope"),
    ("branch StartAt", only({"Type": "Parallel", "End": True, "Branches": [{"StartAt": "X", "States": {"B": PASS}}]}),
     "A", "Branches[0]/StartAt", "no state 'X'"),
    ("assign to an outer variable", only({"Type": "Parallel", "End": True, "Assign": {"x": 1}, "Branches": [
        {"StartAt": "B", "States": {"B": PASS | {"Assign": {"x": 1}}}}]}),
     "A/Branches[0]/B", "Assign/x", "scope around"),
    ("no processor", only({"Type": "Map", "End": True}), "A", "ItemProcessor", "must be an object"),
    ("distributed", only({"Type": "Map", "End": True, "ItemProcessor": BRANCH | {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}}),
     "A", "ItemProcessor/ProcessorConfig", "INLINE"),
    ("ItemReader", only({"Type": "Map", "End": True, "ItemProcessor": BRANCH, "ItemReader": {}}),
     "A", "ItemReader", "distributed"),
    ("tolerated failures", only({"Type": "Map", "End": True, "ItemProcessor": BRANCH, "ToleratedFailureCount": -1}),
     "A", "ToleratedFailureCount", "from 0"),
    ("Iterator", only({"Type": "Map", "End": True, "Iterator": BRANCH}), "A", "Iterator", "ItemProcessor"),
    ("ItemsPath", only({"Type": "Map", "End": True, "ItemProcessor": BRANCH, "ItemsPath": "$"}),
     "A", "ItemsPath", "use Items"),
    ("Items no list", only({"Type": "Map", "End": True, "ItemProcessor": BRANCH, "Items": {"a": 1}}),
     "A", "Items", "must be a list"),
    ("broken in ItemSelector", only({"Type": "Map", "End": True, "ItemProcessor": BRANCH, "ItemSelector": "{% ( %}"}),
     "A", "ItemSelector", "is not JSONata"),
    ("Fail with a number", only({"Type": "Fail", "Error": 5}), "A", "Error", "a string"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("definition", "state", "field", "part"), [row[1:] for row in TABLE], ids=[r[0] for r in TABLE]
)
def test_a_problem_names_machine_state_and_field(definition: dict[str, Any], state: str, field: str, part: str) -> None:
    """Refused when it is read, never at run time: either AWS refuses it too, or this engine does not implement it."""
    with pytest.raises(InvalidDefinition) as refused:
        parse(json.dumps(definition), name="order")
    found = [p for p in refused.value.problems if (p.state, p.field) == (state, field) and part in p.what]
    assert found, "\n".join(map(str, refused.value.problems))
    assert all(problem.machine == "order" for problem in refused.value.problems)


def test_all_problems_are_named_at_once() -> None:
    """One reading lists everything to repair."""
    broken = states(A={"Type": "Pass", "Next": "X", "InputPath": "$"}, B=TASK | {"TimeoutSeconds": 0})
    with pytest.raises(InvalidDefinition) as refused:
        parse(json.dumps(broken), name="m")
    assert len(refused.value.problems) == 4
    assert "m: state 'A': Next: there is no state 'X' in this scope" in str(refused.value)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ('{"StartAt": "A", "StartAt": "B"}', "the key 'StartAt' appears twice"),
        ("StartAt: A\nStates:\n  A: {Type: Pass, Type: Fail}", "the key 'Type' appears twice"),
        ("StartAt: A\nStates:\n  No: {Type: Pass}", "quote it"),
        ("StartAt: A\n? [a]\n: b", "a key at line 2 is a list or an object; it must be a string"),
        ("a: &x {b: 1}\nc: *x", "alias"),
        ("a: .nan", "is not JSON"),
        ('{"a": NaN}', "NaN is not JSON"),
        ("a: !!binary aGk=", "not a JSON value"),
        ("a: !!python/object:os.system {}", "is not"),
        ("a: [1", "not YAML"),
        ('{"a": 1', "not JSON"),
        ("", "empty"),
        ("- 1", "must be an object"),
        ("hello", "must be an object"),
        ("[" * 100_000, "nested too deeply"),
        ("- " * 100_000 + "1", "nested too deeply"),
        ("a: " + "{b: " * 100_000, "nested too deeply"),
        ("a: \ud800", "special characters are not allowed"),
        ("a: 1\nb: 'c", "m: not YAML: found unexpected end of stream at line 2, column 6, while scanning a quoted"),
    ],
)
def test_unreadable_text_is_refused_with_its_place(text: str, part: str) -> None:
    """A duplicate key would silently lose a state, YAML reads No as false, and ASL has no anchors."""
    with pytest.raises(InvalidDefinition) as refused:
        parse(text, name="m")
    assert part in str(refused.value) or part == "is not"


def test_a_missing_substitution_is_named() -> None:
    """A deployment with a missing DefinitionSubstitution fails too, without naming it."""
    assert substitute("a ${B} ${C}", {"B": "1", "C": "2"}) == "a 1 2"
    with pytest.raises(MissingSubstitution, match=r"\$\{C\}, \$\{D\}"):
        substitute("${B} ${D} ${C}", {"B": "1"})
