"""``make deploy`` before it calls AWS: what it refuses, and the parameters that it finds in the templates."""

from __future__ import annotations

import importlib.util
import re
import sys
from types import ModuleType
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.template.translated import REPOSITORY
from workflows.cli.doctor_command import STACK_NAME_MAX


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    specification = importlib.util.spec_from_file_location("deploy_tool", REPOSITORY / "tools/deploy.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules["deploy_tool"] = module  # its dataclasses look their module up
    specification.loader.exec_module(module)
    return module


def test_the_parameters_of_every_template_are_found(
    tool: Any, plain: dict[str, Any], state: dict[str, Any], watching: dict[str, Any]
) -> None:
    """A parameter that is overlooked would not be passed, and keep its former value."""
    found = [stack.parameters() for stack in tool.stacks("expediter")]
    assert found == [set(each["Parameters"]) for each in (state, plain, watching)]


@pytest.mark.parametrize(
    "arguments", [["--stack", "x" * 53], ["--stack", "expediter", "PaymentUrl=https://pay.example"]]
)
def test_a_wrong_name_is_refused_before_anything_is_deployed(
    tool: Any, arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stack's name is too long for a schedule, or no stack has the parameter."""
    monkeypatch.setattr(tool.subprocess, "run", lambda *_, **__: pytest.fail("a stack was deployed"))
    assert tool.main(arguments) == 2


def test_both_commands_refuse_the_same_names(tool: Any) -> None:
    """``expediter doctor`` looks at the name before the first deployment."""
    assert tool.NAME_MAX == STACK_NAME_MAX


ALARMS = {"ApiErrorsAlarm": "api-errors", "OrdersParkedAlarm": "orders-parked"}


@pytest.mark.parametrize("before", [{}, ALARMS], ids=["first", "later"])
def test_the_engine_gets_the_alarms_of_the_last_deployment(
    tool: Any, before: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are in the stack that is deployed after it, and bring it back from the second deployment on."""
    deployed: dict[str, dict[str, str]] = {}

    class Stacks:
        def describe_stacks(self, *, StackName: str) -> Any:  # noqa: N803  # boto3's name
            if StackName not in deployed and not (before and StackName.endswith("-watching")):
                error = {"Code": "ValidationError", "Message": f"Stack with id {StackName} does not exist"}
                raise ClientError({"Error": error}, "DescribeStacks")
            listed = [{"OutputKey": key, "OutputValue": value} for key, value in before.items()]
            return {"Stacks": [{"Outputs": listed if StackName.endswith("-watching") else []}]}

        def set_stack_policy(self, **_: str) -> None:
            """The policy is looked at elsewhere."""

        def update_termination_protection(self, **_: Any) -> None:
            """Likewise."""

    def deploy_one(stack: Any, parameters: dict[str, str], _: Any) -> None:
        deployed[stack.name] = parameters

    monkeypatch.setattr(tool.boto3, "client", lambda _: Stacks())
    monkeypatch.setattr(tool, "_deploy_one", deploy_one)
    tool.deploy("food", {"AlarmEmail": "a@example.com"}, [])
    assert re.fullmatch(r"\d{10}", deployed["food"].pop("Release"))
    assert deployed == {"food-state": {}, "food": before, "food-watching": {"AlarmEmail": "a@example.com"}}


class Table:
    """A client of DynamoDB with one restored table, which has no stream and no protection."""

    def __init__(self) -> None:
        self.table: dict[str, Any] = {"TableStatus": "ACTIVE"}
        self.backups: Any = None

    def describe_table(self, *, TableName: str) -> Any:  # noqa: N803  # boto3's name
        assert TableName == "orders-restored"
        return {"Table": self.table}

    def update_table(self, *, TableName: str, **change: Any) -> None:  # noqa: N803  # likewise
        self.table |= change
        if "StreamSpecification" in change:
            self.table["LatestStreamArn"] = f"the stream of {TableName}"

    def update_continuous_backups(self, **backups: Any) -> None:
        self.backups = backups["PointInTimeRecoverySpecification"]


def test_a_restored_table_gets_its_stream_protection_and_backups_before_it_is_the_log(
    tool: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A restore leaves them out. Orders start on the stream, whose ARN only the restored table has."""
    table = Table()
    monkeypatch.setattr(tool.boto3, "client", lambda _: table)
    assert tool.prepare_restored("orders-restored") == "the stream of orders-restored"
    assert table.table["StreamSpecification"] == {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    assert table.table["DeletionProtectionEnabled"] is True
    assert table.backups == {"PointInTimeRecoveryEnabled": True}


def test_a_restored_table_is_the_log_of_every_later_stack_by_one_parameter(state: dict[str, Any]) -> None:
    """Name, ARN and stream change together: otherwise functions would read one table and follow another's stream."""
    outputs = {name: output["Value"] for name, output in state["Outputs"].items()}
    arn = "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${RestoredEvents}"
    assert {name: outputs[name] for name in ("EventsTable", "EventsArn", "EventsStream")} == {
        "EventsTable": {"Fn::If": ["HasRestoredEvents", {"Ref": "RestoredEvents"}, {"Ref": "Events"}]},
        "EventsArn": {"Fn::If": ["HasRestoredEvents", {"Fn::Sub": arn}, {"Fn::GetAtt": ["Events", "Arn"]}]},
        "EventsStream": {
            "Fn::If": ["HasRestoredEvents", {"Ref": "RestoredEventsStream"}, {"Fn::GetAtt": ["Events", "StreamArn"]}]
        },
    }
    assert state["Conditions"]["HasRestoredEvents"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "RestoredEvents"}, ""]}]}


def test_the_state_is_protected_before_the_next_stack_is_deployed(tool: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the engine cannot be deployed, the state is protected already. A restored table's stream goes to the state."""
    done: list[Any] = []
    policy: Any = (REPOSITORY / "stacks/state-policy.json").read_text()

    class Stacks:
        def describe_stacks(self, **_: str) -> Any:
            return {"Stacks": [{"Outputs": []}]}

        def set_stack_policy(self, **given: str) -> None:
            assert given == {"StackName": "food-state", "StackPolicyBody": policy}
            done.append("stack policy")

        def update_termination_protection(self, **given: Any) -> None:
            assert given == {"StackName": "food-state", "EnableTerminationProtection": True}
            done.append("termination protection")

    monkeypatch.setattr(tool.boto3, "client", lambda _: Stacks())
    monkeypatch.setattr(tool, "prepare_restored", lambda table: f"the stream of {table}")
    monkeypatch.setattr(tool, "_deploy_one", lambda stack, parameters, _: done.append((stack.name, parameters)))
    tool.deploy("food", {"RestoredEvents": "orders-restored"}, [])
    restored = {"RestoredEvents": "orders-restored", "RestoredEventsStream": "the stream of orders-restored"}
    assert done[:3] == [("food-state", restored), "stack policy", "termination protection"]
    assert [name for name, _ in done[3:]] == ["food", "food-watching"]
