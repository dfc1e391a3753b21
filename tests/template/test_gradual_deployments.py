"""Deployments that move gradually and come back by alarm: aliases, what calls them, and CodeDeploy's groups."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.template.conftest import Resources
from tests.template.policies import every_statement, named

OfType = Callable[[str], Resources]

RESOURCES_MAX = 500
"""Of a stack: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html."""


def test_every_call_goes_to_an_alias(resources: Resources, of_type: OfType) -> None:
    """A call of the function itself would meet its newest code at once, and no alarm would bring it back."""
    called = [each["FunctionName"] for each in of_type("Lambda::Permission").values()]
    called += [each["FunctionName"] for each in of_type("Lambda::EventSourceMapping").values()]
    called += [each["Target"]["Arn"] for each in of_type("Scheduler::Schedule").values()]
    called += [each["DefinitionSubstitutions"]["SagaStep"] for each in of_type("StepFunctions::StateMachine").values()]
    functions = of_type("Lambda::Function")
    called += [functions["SearchApi"]["Environment"]["Variables"]["EXPORT_MAKER"]]
    called += [functions["Exporter"]["Environment"]["Variables"]["MANIFEST_SIGNER"]]
    assert {named(each) for each in called if not named(each).endswith(".Alias")} == set()
    assert {named(each).removesuffix(".Alias") for each in called} == set(functions)
    allowed = {
        (statement.owner, on)
        for statement in every_statement(resources)
        if "lambda:InvokeFunction" in statement.actions
        for on in statement.resources
        if not on.endswith(".Alias")
    }
    assert allowed == {("TakeSteps", "SagaStep.Arn")}  # executions that began before the aliases call the function


def test_the_alarms_bring_back_every_function(plain: dict[str, Any], watching: dict[str, Any]) -> None:
    """All functions have one package. CodeDeploy asks the alarms while it moves an alias, unless all move at once."""
    groups = {name: each for name, each in plain["Resources"].items() if each["Type"].endswith("::DeploymentGroup")}
    aliases = {name: each for name, each in plain["Resources"].items() if each["Type"].endswith("Lambda::Alias")}
    functions = {name for name, each in plain["Resources"].items() if each["Type"].endswith("Lambda::Function")}
    assert set(aliases) == {f"{name}Aliaslive" for name in functions}
    for name in functions:
        moved = aliases[f"{name}Aliaslive"]["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"]
        assert moved["DeploymentGroupName"] == {"Ref": f"{name}DeploymentGroup"}
    assert set(groups) == {f"{name}DeploymentGroup" for name in functions}
    for group in groups.values():
        condition, asked, otherwise = group["Properties"]["AlarmConfiguration"]["Fn::If"]
        alarms = [named(each["Name"]) for each in asked["Alarms"]]
        assert (condition, otherwise, asked["Enabled"]) == ("AsksAlarms", {}, True)
        assert alarms == ["ApiErrorsAlarm", "OrdersParkedAlarm"]
        assert "DEPLOYMENT_STOP_ON_ALARM" in group["Properties"]["AutoRollbackConfiguration"]["Events"]
        for alarm in alarms:
            assert plain["Parameters"][alarm]["Default"] == "none"
            assert watching["Outputs"][alarm]["Value"] == {"Ref": alarm}
            assert watching["Resources"][alarm]["Type"] == "AWS::CloudWatch::Alarm"


@pytest.mark.parametrize("stack", ["state", "plain", "watching"])
def test_a_stack_has_room_for_more_resources(stack: str, request: pytest.FixtureRequest) -> None:
    """An alias, its version and its group are three for each function."""
    assert len(request.getfixturevalue(stack)["Resources"]) <= RESOURCES_MAX - 50


def test_every_release_makes_a_version_of_every_function(plain: dict[str, Any], of_type: OfType) -> None:
    """Otherwise a changed parameter would leave the aliases at the former settings. Lambda makes a version only of a
    function that has changed, so SAM puts the release into its description. A region keeps 75 GB of versions, so the
    former one is deleted.
    """
    release = plain["Parameters"]["Release"]["Default"]
    versions = {name: each for name, each in plain["Resources"].items() if each["Type"] == "AWS::Lambda::Version"}
    functions = of_type("Lambda::Function")
    assert set(versions) == {f"{name}Version{release}" for name in functions}
    assert {each["DeletionPolicy"] for each in versions.values()} == {"Delete"}
    assert {each["Description"] for each in functions.values()} == {release}
