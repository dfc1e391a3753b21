"""A local Step Functions as plain boto3 sees it: clients bring machines of their own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from threading import Event
from typing import Any

import boto3
import pytest
from botocore.config import Config

from workflows.embedded.local_step_functions import LocalStepFunctions
from workflows.embedded.step_functions.reports import Reports

ROLE = "arn:aws:iam::123456789012:role/any"
INVOKE = "arn:aws:states:::lambda:invoke"
SQS = "arn:aws:states:::sqs:sendMessage"


def client_of(url: str) -> Any:
    """A client as anybody's program makes it. StartSyncExecution and TestState have a host of their own at AWS."""
    return boto3.client(
        "stepfunctions",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="any",
        aws_secret_access_key="any",
        config=Config(retries={"total_max_attempts": 1}, inject_host_prefix=False),
    )


def refuse(_: Any) -> Any:
    raise LookupError("no such customer")


FUNCTIONS: dict[str, Any] = {
    "Charge": lambda event: {"charged": event["amount"]},
    "Refuse": refuse,
    "Named": lambda _, context: context.function_name,
    SQS: lambda arguments: {"MessageId": "m-1", "Body": arguments["MessageBody"]},
}


def find(name: str) -> Any:
    return FUNCTIONS.get(name) or FUNCTIONS.get(name.rpartition(":function:")[2].split(":")[0])


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStepFunctions]:
    with LocalStepFunctions.open(tmp_path_factory.mktemp("step-functions"), find=find) as opened:
        yield opened


@pytest.fixture(scope="module")
def sfn(service: LocalStepFunctions) -> Any:
    return client_of(service.url)


def text_of(states: dict[str, Any], **top: Any) -> str:
    return json.dumps({"QueryLanguage": "JSONata", "StartAt": next(iter(states)), "States": states, **top})


def create(sfn: Any, name: str, states: dict[str, Any], kind: str = "STANDARD") -> str:
    created = sfn.create_state_machine(name=name, definition=text_of(states), roleArn=ROLE, type=kind)
    return str(created["stateMachineArn"])


def ended(service: LocalStepFunctions, sfn: Any, arn: str) -> dict[str, Any]:
    service.driver.ended(arn).result(20)
    described: dict[str, Any] = sfn.describe_execution(executionArn=arn)
    return described


def invoke(function: str, **fields: Any) -> dict[str, Any]:
    arguments = {"FunctionName": function, "Payload": "{% $states.input %}"}
    state = {"Type": "Task", "Resource": INVOKE, "Arguments": arguments, "Output": "{% $states.result.Payload %}"}
    return state | fields if "Next" in fields else state | fields | {"End": True}


PASS = {"Type": "Pass", "End": True}


def test_a_machine_is_created_run_and_read_page_by_page(service: LocalStepFunctions, sfn: Any) -> None:
    """The pages together are the history, and so are those from its end."""
    states: dict[str, Any] = {f"S{n}": {"Type": "Pass", "Next": f"S{n + 1}"} for n in range(6)}
    machine = create(sfn, "Pages", {**states, "S6": invoke("Charge")})
    arn = sfn.start_execution(stateMachineArn=machine, input='{"amount": 5}')["executionArn"]
    described = ended(service, sfn, arn)
    assert (described["status"], json.loads(described["output"])) == ("SUCCEEDED", {"charged": 5})
    assert (described["redriveCount"], described["redriveStatus"]) == (0, "NOT_REDRIVABLE")
    pages = sfn.get_paginator("get_execution_history")
    events = [e for page in pages.paginate(executionArn=arn, PaginationConfig={"PageSize": 4}) for e in page["events"]]
    assert [event["id"] for event in events] == list(range(1, 20))
    backwards = pages.paginate(executionArn=arn, reverseOrder=True, PaginationConfig={"PageSize": 7})
    assert [event for page in backwards for event in page["events"]] == events[::-1]


def test_executions_are_listed_in_pages(service: LocalStepFunctions, sfn: Any) -> None:
    """Newest first, of one machine, by status."""
    machine = create(sfn, "Listed", {"A": PASS})
    arns = [sfn.start_execution(stateMachineArn=machine, name=f"e{n}")["executionArn"] for n in range(5)]
    for arn in arns:
        ended(service, sfn, arn)
    pages = sfn.get_paginator("list_executions").paginate(stateMachineArn=machine, PaginationConfig={"PageSize": 2})
    assert [entry["executionArn"] for page in pages for entry in page["executions"]] == arns[::-1]
    assert sfn.list_executions(stateMachineArn=machine, statusFilter="FAILED")["executions"] == []


def test_machines_are_listed_in_pages(sfn: Any) -> None:
    """By name, each with its type."""
    create(sfn, "Express1", {"A": PASS}, "EXPRESS")
    create(sfn, "Standard1", {"A": PASS})
    pages = sfn.get_paginator("list_state_machines").paginate(PaginationConfig={"PageSize": 1})
    kinds = {machine["name"]: machine["type"] for page in pages for machine in page["stateMachines"]}
    assert (kinds["Express1"], kinds["Standard1"]) == ("EXPRESS", "STANDARD")


def test_an_update_is_for_executions_that_begin_later(service: LocalStepFunctions, sfn: Any) -> None:
    """One that runs keeps its definition, and describes it."""
    machine = create(sfn, "Updated", {"W": {"Type": "Wait", "Seconds": 3600, "End": True}})
    running = sfn.start_execution(stateMachineArn=machine, name="before")["executionArn"]
    assert "revisionId" not in sfn.describe_state_machine(stateMachineArn=machine)
    updated = sfn.update_state_machine(stateMachineArn=machine, definition=text_of({"A": PASS | {"Output": "new"}}))
    described = sfn.describe_state_machine(stateMachineArn=machine)
    assert described["revisionId"] == updated["revisionId"]
    assert "new" in described["definition"]
    assert "3600" in sfn.describe_state_machine_for_execution(executionArn=running)["definition"]
    after = sfn.start_execution(stateMachineArn=machine, name="after")["executionArn"]
    assert ended(service, sfn, after)["output"] == '"new"'
    assert sfn.describe_execution(executionArn=running)["status"] == "RUNNING"
    with pytest.raises(sfn.exceptions.MissingRequiredParameter):
        sfn.update_state_machine(stateMachineArn=machine)


def test_a_deleted_machine_starts_nothing_and_its_executions_go_on(service: LocalStepFunctions, sfn: Any) -> None:
    """Deleting again is no error."""
    machine = create(sfn, "Deleted", {"W": {"Type": "Wait", "Seconds": 1, "Next": "A"}, "A": PASS})
    arn = sfn.start_execution(stateMachineArn=machine)["executionArn"]
    for _ in range(2):
        sfn.delete_state_machine(stateMachineArn=machine)
    with pytest.raises(sfn.exceptions.StateMachineDoesNotExist):
        sfn.start_execution(stateMachineArn=machine)
    assert ended(service, sfn, arn)["status"] == "SUCCEEDED"


def test_the_same_machine_again_is_the_same_and_another_definition_is_refused(sfn: Any) -> None:
    """Creating is idempotent, as at AWS; another role or other tags are ignored, and another configuration is not."""
    machine = create(sfn, "Same", {"A": PASS})
    assert create(sfn, "Same", {"A": PASS}) == machine
    request = {"name": "Same", "definition": text_of({"A": PASS}), "roleArn": f"{ROLE}-other"}
    again = sfn.create_state_machine(**request, tags=[{"key": "a", "value": "1"}])
    assert again["stateMachineArn"] == machine
    assert sfn.describe_state_machine(stateMachineArn=machine)["roleArn"] == ROLE
    assert sfn.list_tags_for_resource(resourceArn=machine)["tags"] == []
    with pytest.raises(sfn.exceptions.StateMachineAlreadyExists):
        sfn.create_state_machine(**request, tracingConfiguration={"enabled": True})
    with pytest.raises(sfn.exceptions.StateMachineAlreadyExists):
        create(sfn, "Same", {"B": PASS})
    with pytest.raises(sfn.exceptions.InvalidArn):
        sfn.update_state_machine(stateMachineArn=machine, roleArn="any")


def test_a_view_without_data_is_refused(service: LocalStepFunctions, sfn: Any) -> None:
    """By name; it would show everything."""
    machine, express = create(sfn, "Viewed", {"A": PASS}), create(sfn, "ViewedSync", {"A": PASS}, "EXPRESS")
    arn = sfn.start_execution(stateMachineArn=machine)["executionArn"]
    for call, subject in (
        (sfn.describe_execution, {"executionArn": arn}),
        (sfn.describe_state_machine, {"stateMachineArn": machine}),
        (sfn.describe_state_machine_for_execution, {"executionArn": arn}),
        (sfn.start_sync_execution, {"stateMachineArn": express}),
    ):
        with pytest.raises(sfn.exceptions.ClientError, match="includedData"):
            call(**subject, includedData="METADATA_ONLY")
        call(**subject, includedData="ALL_DATA")
    assert sfn.list_executions(stateMachineArn=machine, statusFilter="PENDING_REDRIVE")["executions"] == []


def test_an_execution_describes_the_machine_that_it_began_with(service: LocalStepFunctions, sfn: Any) -> None:
    """Not a revision or a role that came later, and also once the machine is deleted."""
    machine = create(sfn, "Began", {"W": {"Type": "Wait", "Seconds": 3600, "End": True}})
    arn = sfn.start_execution(stateMachineArn=machine)["executionArn"]
    sfn.update_state_machine(stateMachineArn=machine, definition=text_of({"A": PASS}), roleArn=f"{ROLE}-other")
    described = [sfn.describe_state_machine_for_execution(executionArn=arn)]
    sfn.delete_state_machine(stateMachineArn=machine)
    described.append(sfn.describe_state_machine_for_execution(executionArn=arn))
    for found in described:
        assert "3600" in found["definition"]
        assert (found["stateMachineArn"], found["roleArn"]) == (machine, ROLE)
        assert "revisionId" not in found


def test_pages_skip_nothing_when_machines_are_deleted_between_them(sfn: Any) -> None:
    """A page begins after the last name of the page before: a program that deletes what it lists deletes all."""
    for n in range(5):
        create(sfn, f"Swept{n}", {"A": PASS})
    for page in sfn.get_paginator("list_state_machines").paginate(PaginationConfig={"PageSize": 2}):
        for machine in page["stateMachines"]:
            if machine["name"].startswith("Swept"):
                sfn.delete_state_machine(stateMachineArn=machine["stateMachineArn"])
    names = [machine["name"] for machine in sfn.list_state_machines(maxResults=1000)["stateMachines"]]
    assert not [name for name in names if name.startswith("Swept")]


def test_versions_and_aliases_are_listed_in_pages_while_they_are_deleted(sfn: Any) -> None:
    """The newest first."""
    machine = create(sfn, "Numbered", {"A": PASS})
    for n in range(5):
        sfn.update_state_machine(stateMachineArn=machine, definition=text_of({"A": PASS | {"Output": n}}), publish=True)
    for n in range(1, 6):
        route = {"stateMachineVersionArn": f"{machine}:{n}", "weight": 100}
        sfn.create_state_machine_alias(name=f"v{n}", routingConfiguration=[route])
    for operation, key, arn, delete in (
        ("list_state_machine_aliases", "stateMachineAliases", "stateMachineAliasArn", "delete_state_machine_alias"),
        ("list_state_machine_versions", "stateMachineVersions", "stateMachineVersionArn",
         "delete_state_machine_version"),
    ):  # fmt: skip
        seen = []
        token: dict[str, str] = {}
        while True:
            page = getattr(sfn, operation)(stateMachineArn=machine, maxResults=2, **token)
            for item in page[key]:
                seen.append(item[arn][-1])
                getattr(sfn, delete)(**{arn: item[arn]})
            if "nextToken" not in page:
                break
            token = {"nextToken": page["nextToken"]}
        assert seen == ["5", "4", "3", "2", "1"]


def test_a_history_read_backwards_repeats_nothing_while_it_grows(service: LocalStepFunctions, sfn: Any) -> None:
    """The next page goes on below the last event, although events came on top."""
    machine = create(sfn, "Growing", {"W": {"Type": "Wait", "Seconds": 3600, "End": True}})
    arn = sfn.start_execution(stateMachineArn=machine)["executionArn"]
    first = sfn.get_execution_history(executionArn=arn, reverseOrder=True, maxResults=1)
    sfn.stop_execution(executionArn=arn)
    ended(service, sfn, arn)
    second = sfn.get_execution_history(executionArn=arn, reverseOrder=True, nextToken=first["nextToken"])
    assert [event["id"] for event in first["events"] + second["events"]] == [2, 1]


def test_the_pages_of_a_history_are_of_one_reading(
    service: LocalStepFunctions, sfn: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A long one is folded once, and again when there are more events or another one is read in between."""
    folded: list[str] = []
    history = Reports.history

    def counted(self: Reports, arn: str) -> Any:
        folded.append(arn)
        return history(self, arn)

    monkeypatch.setattr(Reports, "history", counted)
    machine = create(sfn, "Long", {"W": {"Type": "Wait", "Seconds": 3600, "End": True}})
    arns = [sfn.start_execution(stateMachineArn=machine)["executionArn"] for _ in range(2)]

    def events(arn: str) -> list[int]:
        pages = sfn.get_paginator("get_execution_history").paginate(
            executionArn=arn, reverseOrder=True, PaginationConfig={"PageSize": 1}
        )
        return [event["id"] for page in pages for event in page["events"]]

    assert events(arns[0]) == events(arns[0]) == [2, 1]
    assert folded == [arns[0]]
    assert events(arns[1]) == events(arns[1]) == [2, 1]
    sfn.stop_execution(executionArn=arns[1])
    assert events(arns[1]) == [3, 2, 1]
    assert folded == [arns[0], arns[1], arns[1]]


def test_a_token_of_another_list_is_refused(service: LocalStepFunctions, sfn: Any) -> None:
    """Also one of other parameters, one that was changed and one that was made up."""
    machine, other = create(sfn, "Paged", {"A": PASS}), create(sfn, "Paged2", {"A": PASS})
    for n in range(3):
        arn = sfn.start_execution(stateMachineArn=machine, name=f"e{n}")["executionArn"]
        ended(service, sfn, arn)
    token = sfn.list_executions(stateMachineArn=machine, maxResults=1)["nextToken"]
    assert sfn.list_executions(stateMachineArn=machine, maxResults=2, nextToken=token)["executions"]
    for forged, parameters in (
        (token, {"stateMachineArn": other}),
        (token, {"stateMachineArn": machine, "statusFilter": "SUCCEEDED"}),
        (token[:-1], {"stateMachineArn": machine}),
        ("1", {"stateMachineArn": machine}),
        ("🙂", {"stateMachineArn": machine}),
    ):
        with pytest.raises(sfn.exceptions.InvalidToken):
            sfn.list_executions(nextToken=forged, **parameters)
    with pytest.raises(sfn.exceptions.InvalidToken):
        sfn.get_execution_history(executionArn=arn, nextToken=token)


def test_an_arn_of_something_else_is_refused(sfn: Any) -> None:
    """With the type that it names; a machine that does not exist has no list of executions."""
    machine, execution = create(sfn, "Right", {"A": PASS}), "arn:aws:states:local:000000000000:execution:Right:e"
    for call, parameter in (
        (sfn.start_execution, "stateMachineArn"),
        (sfn.describe_state_machine, "stateMachineArn"),
        (sfn.delete_state_machine, "stateMachineArn"),
        (sfn.list_executions, "stateMachineArn"),
        (sfn.publish_state_machine_version, "stateMachineArn"),
    ):
        for wrong in (execution, "Right", "arn:aws:states"):
            with pytest.raises(sfn.exceptions.InvalidArn):
                call(**{parameter: wrong})
    for call in (sfn.describe_execution, sfn.get_execution_history, sfn.stop_execution, sfn.redrive_execution):
        with pytest.raises(sfn.exceptions.InvalidArn, match="Resource type not valid in this context: stateMachine"):
            call(executionArn=machine)
    with pytest.raises(sfn.exceptions.StateMachineDoesNotExist):
        sfn.list_executions(stateMachineArn=f"{machine}X")


def test_the_input_is_described_as_it_was_sent(service: LocalStepFunctions, sfn: Any, tmp_path: Path) -> None:
    """With its spaces; the same value with other spaces is the same start."""
    machine = create(sfn, "Spaced", {"W": {"Type": "Wait", "Seconds": 3600, "End": True}})
    text = '{ "a" : 1.0,\n  "b": "\\u00e9" }'
    arn = sfn.start_execution(stateMachineArn=machine, name="one", input=text)["executionArn"]
    assert sfn.describe_execution(executionArn=arn)["input"] == text
    assert sfn.start_execution(stateMachineArn=machine, name="one", input='{"a":1.0,"b":"é"}')["executionArn"] == arn
    sync = sfn.start_sync_execution(stateMachineArn=create(sfn, "SpacedSync", {"A": PASS}, "EXPRESS"), input=text)
    assert (sync["input"], json.loads(sync["output"])) == (text, {"a": 1.0, "b": "é"})
    for wrong in ('{"a": NaN}', '{"a": 1e999}', "[" * 100_000):
        with pytest.raises(sfn.exceptions.InvalidExecutionInput):
            sfn.start_execution(stateMachineArn=machine, input=wrong)


def test_waiting_callers_leave_room_for_the_others(service: LocalStepFunctions, sfn: Any) -> None:
    """More StartSyncExecutions than the server has threads wait for a function that ends once a list was answered."""
    listed = Event()
    FUNCTIONS["Await"] = lambda _: listed.wait(20)
    machine = create(sfn, "Crowd", {"A": invoke("Await")}, "EXPRESS")
    with ThreadPoolExecutor(60) as callers:
        started = [callers.submit(sfn.start_sync_execution, stateMachineArn=machine) for _ in range(60)]
        while service.driver.started["Crowd"] < 60:
            sfn.list_state_machines(maxResults=1)
        listed.set()
        assert {call.result(20)["output"] for call in started} == {"true"}


def test_tags_are_kept_with_the_machine(sfn: Any) -> None:
    """Given at creation, added, replaced and removed."""
    created = sfn.create_state_machine(
        name="Tagged", definition=text_of({"A": PASS}), roleArn=ROLE, tags=[{"key": "a", "value": "1"}]
    )
    arn = created["stateMachineArn"]
    sfn.tag_resource(resourceArn=arn, tags=[{"key": "b", "value": "2"}, {"key": "a", "value": "3"}])
    sfn.untag_resource(resourceArn=arn, tagKeys=["b", "unknown"])
    assert sfn.list_tags_for_resource(resourceArn=arn)["tags"] == [{"key": "a", "value": "3"}]
    with pytest.raises(sfn.exceptions.ResourceNotFound):
        sfn.list_tags_for_resource(resourceArn=f"{arn}:1")
    many = [{"key": str(n), "value": ""} for n in range(51)]
    with pytest.raises(sfn.exceptions.TooManyTags):
        sfn.tag_resource(resourceArn=arn, tags=many[:50])
    with pytest.raises(sfn.exceptions.TooManyTags):
        sfn.create_state_machine(name="Tagged51", definition=text_of({"A": PASS}), roleArn=ROLE, tags=many)
    with pytest.raises(sfn.exceptions.ClientError, match="ValidationException"):
        sfn.tag_resource(resourceArn=arn, tags=[{"value": "2"}])


def test_a_wrong_definition_is_refused_with_diagnostics(sfn: Any) -> None:
    """Each problem has its place in the document; the sentence of CreateStateMachine has all of them."""
    inner = {"B": {"Type": "Task", "Resource": "nowhere", "End": True}}
    broken = {"A": {"Type": "Parallel", "Branches": [{"StartAt": "B", "States": inner}], "End": True}}
    validated = sfn.validate_state_machine_definition(definition=text_of(broken))
    assert validated["result"] == "FAIL"
    assert {found["location"] for found in validated["diagnostics"]} == {"/States/A/Branches[0]/States/B/Resource"}
    with pytest.raises(sfn.exceptions.InvalidDefinition, match=r"SCHEMA_VALIDATION_FAILED: .* at /States/A/Branches"):
        create(sfn, "Broken", broken)
    assert sfn.validate_state_machine_definition(definition=text_of({"A": PASS})) | {"ResponseMetadata": 0} == {
        "result": "OK", "diagnostics": [], "truncated": False, "ResponseMetadata": 0}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "code", "message", "location"),
    [
        (" ", "SCHEMA_VALIDATION_FAILED", "Definition must be a valid JSON object", None),
        ("{}", "SCHEMA_VALIDATION_FAILED", "These fields are required: [States, StartAt]", "/"),
        ('{"States": {}}', "SCHEMA_VALIDATION_FAILED", "These fields are required: [StartAt]", "/"),
        ("not a definition", "INVALID_JSON_DESCRIPTION", None, None),
    ],
)
def test_a_text_that_is_no_definition(
    sfn: Any, text: str, code: str, message: str | None, location: str | None
) -> None:
    """Codes and sentences are those recorded on AWS."""
    [found] = sfn.validate_state_machine_definition(definition=text)["diagnostics"]
    assert (found["severity"], found["code"], found.get("location")) == ("ERROR", code, location)
    assert message in (None, found["message"])


def test_a_jsonpath_machine_is_refused_by_name(sfn: Any) -> None:
    """With the way to move."""
    with pytest.raises(sfn.exceptions.InvalidDefinition, match=r"JSONPath \(the default\); only JSONata"):
        sfn.create_state_machine(
            name="Old", definition='{"StartAt":"A","States":{"A":{"Type":"Succeed"}}}', roleArn=ROLE
        )


def test_an_express_machine_answers_its_caller(sfn: Any) -> None:
    """A failure is a status. Its executions can be neither described nor listed, as at AWS."""
    machine = create(sfn, "Sync", {"A": invoke("Charge")}, "EXPRESS")
    result = sfn.start_sync_execution(stateMachineArn=machine, input='{"amount": 7}')
    assert (result["status"], json.loads(result["output"])) == ("SUCCEEDED", {"charged": 7})
    assert result["billingDetails"]["billedMemoryUsedInMB"] == 64
    failing = create(sfn, "SyncFailing", {"A": invoke("Refuse")}, "EXPRESS")
    failed = sfn.start_sync_execution(stateMachineArn=failing)
    assert (failed["status"], failed["error"]) == ("FAILED", "LookupError")
    for read in (sfn.describe_execution, sfn.get_execution_history, sfn.stop_execution):
        with pytest.raises(sfn.exceptions.InvalidArn, match="Resource type not valid in this context: express"):
            read(executionArn=result["executionArn"])
    with pytest.raises(sfn.exceptions.StateMachineTypeNotSupported):
        sfn.list_executions(stateMachineArn=machine)
    with pytest.raises(sfn.exceptions.StateMachineTypeNotSupported):
        sfn.start_sync_execution(stateMachineArn=create(sfn, "NoSync", {"A": PASS}))
    with pytest.raises(sfn.exceptions.InvalidDefinition, match=r"does not support '\.waitForTaskToken'"):
        create(sfn, "Waits", {"A": invoke("Charge", Resource=INVOKE + ".waitForTaskToken")}, "EXPRESS")


def test_a_failed_execution_is_redriven(service: LocalStepFunctions, sfn: Any) -> None:
    """In the same history; one that succeeded is not."""
    machine = create(sfn, "Redriven", {"A": invoke("Later")})
    arn = sfn.start_execution(stateMachineArn=machine)["executionArn"]
    failed = ended(service, sfn, arn)
    assert (failed["status"], failed["redriveStatus"]) == ("FAILED", "REDRIVABLE")
    assert failed["error"] == "Lambda.ResourceNotFoundException"
    FUNCTIONS["Later"] = lambda _: "found"
    sfn.redrive_execution(executionArn=arn)
    again = ended(service, sfn, arn)
    assert (again["status"], again["output"], again["redriveCount"]) == ("SUCCEEDED", '"found"', 1)
    assert "ExecutionRedriven" in [e["type"] for e in sfn.get_execution_history(executionArn=arn)["events"]]
    with pytest.raises(sfn.exceptions.ExecutionNotRedrivable):
        sfn.redrive_execution(executionArn=arn)


def test_a_child_that_fails_at_once_is_shown_as_started(service: LocalStepFunctions, sfn: Any) -> None:
    """Its start stands before its end in the history of its parent."""
    child = create(sfn, "FailsAtOnce", {"F": {"Type": "Fail", "Error": "E"}})
    task = {"Type": "Task", "Resource": "arn:aws:states:::states:startExecution.sync:2", "End": True}
    parent = create(sfn, "Parent", {"A": task | {"Arguments": {"StateMachineArn": child}}})
    arn = sfn.start_execution(stateMachineArn=parent)["executionArn"]
    assert ended(service, sfn, arn)["error"] == "States.TaskFailed"
    types = [event["type"] for event in sfn.get_execution_history(executionArn=arn)["events"]]
    assert types[3:6] == ["TaskStarted", "TaskSubmitted", "TaskFailed"]


@pytest.mark.parametrize("name", ["a b", "a/b", "a:b", "a" * 81, "", "\ud800"])
def test_a_child_with_an_impossible_name_fails_its_task(service: LocalStepFunctions, sfn: Any, name: str) -> None:
    """The name may come from data. The task can be caught, and the service goes on."""
    task = {"Type": "Task", "Resource": "arn:aws:states:::states:startExecution", "End": True}
    arguments = {"StateMachineArn": create(sfn, "Named", {"A": PASS}), "Name": "{% $states.input %}"}
    parent = create(sfn, "Names", {"A": task | {"Arguments": arguments}})
    arn = sfn.start_execution(stateMachineArn=parent, input=json.dumps(name))["executionArn"]
    failed = ended(service, sfn, arn)
    assert (failed["status"], failed["error"]) == ("FAILED", "StepFunctions.InvalidNameException")
    assert failed["cause"].startswith("Invalid Name: ")


def test_a_function_gets_lambda_s_context_if_it_takes_one(service: LocalStepFunctions, sfn: Any) -> None:
    """And is found by its ARN, whatever account and region that has."""
    task = {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:Named", "End": True}
    arn = sfn.start_execution(stateMachineArn=create(sfn, "Context", {"A": task}))["executionArn"]
    assert ended(service, sfn, arn)["output"].endswith(':function:Named"')


def test_a_service_is_called_by_the_callable_of_its_resource(service: LocalStepFunctions, sfn: Any) -> None:
    """It gets the arguments; its result carries metadata. A service with neither callable nor endpoint is refused."""
    task = {"Type": "Task", "Resource": SQS, "Arguments": {"QueueUrl": "q", "MessageBody": {"a": 1}}, "End": True}
    arn = sfn.start_execution(stateMachineArn=create(sfn, "Sends", {"A": task}))["executionArn"]
    output = json.loads(ended(service, sfn, arn)["output"])
    assert (output["MessageId"], output["Body"]) == ("m-1", {"a": 1})
    assert output["SdkHttpMetadata"]["HttpStatusCode"] == 200
    other = "arn:aws:states:::aws-sdk:dynamodb:getItem"
    with pytest.raises(sfn.exceptions.InvalidDefinition, match=f"nothing performs calls of '{other}'"):
        create(sfn, "Reads", {"A": task | {"Resource": other}})


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (PASS | {"Output": "{% $states.input.a + $b %}"}, {"status": "SUCCEEDED", "output": "3"}),
        ({"Type": "Choice", "Choices": [{"Condition": "{% $states.input.a = 1 %}", "Next": "One"}], "Default": "Other"},
         {"status": "SUCCEEDED", "nextState": "One", "output": '{"a":1,"amount":4}'}),
        (invoke("Charge", Next="Then"), {"status": "SUCCEEDED", "nextState": "Then", "output": '{"charged":4}'}),
        (invoke("Refuse", Retry=[{"ErrorEquals": ["LookupError"]}]), {"status": "RETRIABLE", "error": "LookupError"}),
        (invoke("Refuse", Retry=[{"ErrorEquals": ["Other"]}],
                Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Rescue", "Output": "{% $states.errorOutput.Error %}"}]),
         {"status": "CAUGHT_ERROR", "nextState": "Rescue", "error": "LookupError", "output": '"LookupError"'}),
        ({"Type": "Fail", "Error": "E", "Cause": "c"}, {"status": "FAILED", "error": "E", "cause": "c"}),
        ({"Type": "Wait", "Seconds": 9999, "Next": "After"}, {"status": "SUCCEEDED", "nextState": "After"}),
    ],
    ids=["pass", "choice", "task", "retriable", "caught", "fail", "wait"],
)  # fmt: skip
def test_one_state_is_tested(sfn: Any, state: dict[str, Any], expected: dict[str, Any]) -> None:
    """TestState runs it with the service's functions and says where it leads."""
    tested = sfn.test_state(
        definition=json.dumps(state | {"QueryLanguage": "JSONata"}),
        roleArn=ROLE,
        input='{"a": 1, "amount": 4}',
        variables='{"b": 2}',
    )
    assert {key: tested.get(key) for key in expected} == expected


def test_the_result_of_a_tested_task_may_be_given(sfn: Any) -> None:
    """Nothing is called; a state of a machine is named. Its data can be inspected."""
    machine = text_of({"A": PASS | {"Next": "B"} | {"End": None}, "B": invoke("Nothing", Next="C"), "C": PASS})
    mocked = sfn.test_state(
        definition=machine, stateName="B", input="{}", mock={"result": '{"Payload": 5}'}, inspectionLevel="DEBUG"
    )
    assert (mocked["status"], mocked["nextState"], mocked["output"]) == ("SUCCEEDED", "C", "5")
    assert json.loads(mocked["inspectionData"]["afterArguments"])["FunctionName"] == "Nothing"
    refused = sfn.test_state(definition=machine, stateName="B", mock={"errorOutput": {"error": "Down", "cause": "why"}})
    assert (refused["status"], refused["error"], refused["cause"]) == ("FAILED", "Down", "why")


def test_the_result_of_a_tested_map_or_parallel_may_be_given(sfn: Any) -> None:
    """The branches do not run; what the state reads before them is evaluated and can be inspected."""
    each = {"StartAt": "B", "States": {"B": invoke("Nothing")}}
    items = {"Type": "Map", "Items": "{% $states.input.v %}", "ItemSelector": "{% $states.context.Map.Item.Index %}"}
    found = items | {"ItemProcessor": each, "MaxConcurrency": "{% 1 + 1 %}", "Output": "{% $states.result[0] %}"}
    machine = text_of({"M": found | {"Next": "P"}, "P": {"Type": "Parallel", "Branches": [branch(each)], "End": True}})
    tested = sfn.test_state(
        definition=machine, stateName="M", input='{"v": [7, 8]}', mock={"result": "[5, 6]"}, inspectionLevel="DEBUG"
    )
    assert (tested["status"], tested["nextState"], tested["output"]) == ("SUCCEEDED", "P", "5")
    data = tested["inspectionData"]
    assert (data["afterItemSelector"], data["maxConcurrency"], data["result"]) == ("[0,1]", 2, "[5,6]")
    wrong = sfn.test_state(definition=machine, stateName="M", input='{"v": 7}', mock={"result": "[]"})
    assert (wrong["status"], wrong["error"]) == ("FAILED", "States.QueryEvaluationError")
    down = {"errorOutput": {"error": "Down", "cause": "why"}}
    assert sfn.test_state(definition=machine, stateName="P", mock=down)["error"] == "Down"
    for refused in (
        {"stateName": "M", "mock": {"result": "5"}},
        {"stateName": "X"},
        {"stateName": "P", "context": "{}"},
    ):
        with pytest.raises(sfn.exceptions.ValidationException):
            sfn.test_state(definition=machine, **refused)


MAPPED = {"Type": "Map", "ItemProcessor": {"StartAt": "I", "States": {"I": PASS}}, "End": True}
TWO = {"Type": "Parallel", "Branches": [{"StartAt": name, "States": {name: PASS}} for name in ("I", "J")]}
NEEDS_MOCK = "TestState API does not support Map or Parallel states. Supported state types include: "
STARTS = "arn:aws:states:::states:startExecution"


@pytest.mark.parametrize(
    ("state", "request_", "code", "message"),
    [
        (MAPPED, {}, "InvalidDefinition", NEEDS_MOCK),
        (TWO | {"End": True}, {}, "InvalidDefinition", NEEDS_MOCK),
        (PASS, {"mock": {"result": "1"}}, "ValidationException",
         "State type 'Pass' is not supported when a mock is specified"),
        (invoke("Never"), {"mock": {"result": "{}", "errorOutput": {"error": "E"}}}, "ValidationException",
         "A test mock should have only one of the following fields: [result, errorOutput]."),
        (invoke("Never"), {"mock": {"result": "{}"}, "revealSecrets": True}, "ValidationException",
         "TestState does not support RevealSecrets when a mock is specified."),
        (MAPPED, {"mock": {"result": "{}"}}, "ValidationException", "Mocked result must be an array."),
        (TWO | {"End": True}, {"mock": {"result": "[1]"}}, "ValidationException",
         "Mocked result must contain the same number of items as number of Parallel branches."),
        (invoke("Never", Resource=INVOKE + ".waitForTaskToken"), {}, "ValidationException", "waits for a token: give"),
        *(({"Type": "Task", "Resource": f"{STARTS}{mode}", "Arguments": {"StateMachineArn": "m"}, "End": True}, {},
           "ValidationException", "starts an execution: give") for mode in ("", ".sync", ".sync:2")),
    ],
)  # fmt: skip
def test_a_test_of_a_state_without_its_mock_or_with_a_wrong_one(
    sfn: Any, state: dict[str, Any], request_: dict[str, Any], code: str, message: str
) -> None:
    """Sentences about mocks are those recorded on AWS. Nothing is called."""
    FUNCTIONS["Never"] = SimpleQueue[Any]().get_nowait
    with pytest.raises(sfn.exceptions.ClientError) as refused:
        sfn.test_state(definition=json.dumps(state | {"QueryLanguage": "JSONata"}), roleArn=ROLE, **request_)
    error = refused.value.response["Error"]
    assert error["Code"] == code
    assert message in error["Message"]


def branch(of: dict[str, Any]) -> dict[str, Any]:
    """The same branch with other names, because names are unique in a machine."""
    return {"StartAt": "C", "States": {"C": of["States"]["B"]}}


def test_the_retriers_of_a_tested_state_count_from_what_the_caller_says(sfn: Any) -> None:
    """With the wait before the next attempt; after the last one the catcher takes the error. The context is given."""
    retry = {"ErrorEquals": ["Down"], "MaxAttempts": 2, "IntervalSeconds": 3, "BackoffRate": 2}
    name = "{% $states.context.Execution.Name %}"
    catch = [{"ErrorEquals": ["Other"], "Next": "X"}, {"ErrorEquals": ["Down"], "Next": "Y", "Output": name}]
    definition = json.dumps(invoke("Nothing", Retry=[retry], Catch=catch) | {"QueryLanguage": "JSONata"})
    request = {"definition": definition, "mock": {"errorOutput": {"error": "Down", "cause": ""}}}
    request |= {"inspectionLevel": "DEBUG", "context": '{"Execution": {"Name": "mine"}}', "variables": '{"v": 1}'}
    tested = [sfn.test_state(stateConfiguration={"retrierRetryCount": count}, **request) for count in (1, 2)]
    assert [each["status"] for each in tested] == ["RETRIABLE", "CAUGHT_ERROR"]
    details = [each["inspectionData"]["errorDetails"] for each in tested]
    assert details == [{"retryIndex": 0, "retryBackoffIntervalSeconds": 6}, {"catchIndex": 1}]
    assert (tested[1]["output"], tested[1]["nextState"]) == ('"mine"', "Y")
    assert tested[1]["inspectionData"]["variables"] == '{"v":1}'


def test_a_service_that_stops_answers_those_who_wait_for_an_execution(tmp_path: Path) -> None:
    """The execution goes on with the next service."""
    called, held = SimpleQueue[Any](), Event()

    def hold(event: Any) -> bool:
        called.put(event)
        return held.wait(20)

    known = {"Hold": hold}
    with ThreadPoolExecutor(1) as caller:
        with LocalStepFunctions.open(tmp_path, find=known.get) as first:
            sfn = client_of(first.url)
            machine = create(sfn, "Held", {"A": invoke("Hold")}, "EXPRESS")
            call = caller.submit(sfn.start_sync_execution, stateMachineArn=machine)
            called.get(timeout=20)
        with pytest.raises(sfn.exceptions.ClientError, match=r"ServiceUnavailable.*continues at its next start"):
            call.result(20)
    with LocalStepFunctions.open(tmp_path, find=known.get) as second:
        called.get(timeout=20)
        held.set()
        sfn = client_of(second.url)
        while not second.driver.ended_by_status["Held", "SUCCEEDED"]:
            sfn.list_state_machines()


def test_machines_and_executions_outlive_the_service(tmp_path: Path) -> None:
    """A service that is opened again has them, with tags, and goes on."""
    with LocalStepFunctions.open(tmp_path, find=find) as first:
        sfn = client_of(first.url)
        machine = create(sfn, "Kept", {"W": {"Type": "Wait", "Seconds": 1, "Next": "A"}, "A": invoke("Charge")})
        sfn.tag_resource(resourceArn=machine, tags=[{"key": "a", "value": "1"}])
        arn = sfn.start_execution(stateMachineArn=machine, name="one", input='{"amount": 1}')["executionArn"]
    with LocalStepFunctions.open(tmp_path, find=find) as second:
        sfn = client_of(second.url)
        assert json.loads(ended(second, sfn, arn)["output"]) == {"charged": 1}
        assert sfn.list_tags_for_resource(resourceArn=machine)["tags"] == [{"key": "a", "value": "1"}]
        with pytest.raises(sfn.exceptions.ExecutionAlreadyExists):
            sfn.start_execution(stateMachineArn=machine, name="one", input='{"amount": 1}')


def test_a_failed_execution_is_redriven_after_a_restart(tmp_path: Path) -> None:
    """From its journal; it runs when the service is opened once more, and its token is open."""
    waiting = {"Type": "Task", "Resource": INVOKE + ".waitForTaskToken", "End": True}
    waiting["Arguments"] = {"FunctionName": "Keep", "Payload": "{% $states.context.Task.{'token': Token} %}"}
    tokens: SimpleQueue[str] = SimpleQueue()
    known = {"Keep": lambda event: tokens.put(event["token"])}
    with LocalStepFunctions.open(tmp_path, find=known.get) as first:
        sfn = client_of(first.url)
        arn = sfn.start_execution(stateMachineArn=create(sfn, "Kept", {"A": waiting}))["executionArn"]
        sfn.stop_execution(executionArn=arn, error="Stopped")
    with LocalStepFunctions.open(tmp_path, find=known.get) as second:
        client_of(second.url).redrive_execution(executionArn=arn)
    with LocalStepFunctions.open(tmp_path, find=known.get) as third:
        sfn = client_of(third.url)
        assert sfn.describe_execution(executionArn=arn)["status"] == "RUNNING"
        while not _succeeds(sfn, tokens.get(timeout=20)):
            pass  # the token of the first attempt
        assert ended(third, sfn, arn)["output"] == "1"


def _succeeds(sfn: Any, token: str) -> bool:
    try:
        sfn.send_task_success(taskToken=token, output="1")
    except sfn.exceptions.TaskTimedOut:
        return False
    return True
