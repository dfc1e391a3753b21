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
