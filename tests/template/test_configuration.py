"""Parameters, variables, routes and roles: what is configured is read, and what is read is configured."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from domain.order.delivery import ATTEMPTS_MAX
from handlers.http.callers import ROLES
from tests.template.conftest import Resources
from tests.template.policies import named
from tests.template.translated import REPOSITORY, TEMPLATE
from workflows.embedded.template import read_template
from workflows.incidents.approval_limits import DEFAULT, SETTING, limits
from workflows.time_budgets import _OF_PEOPLE

OfType = Callable[[str], Resources]


def test_every_variable_is_read_and_every_variable_that_is_read_is_there(of_type: OfType) -> None:
    """But for those that change a circuit breaker, which begin with BREAKER_ and may be added to any function."""
    modules = [*(REPOSITORY / "handlers").glob("*.py"), *(REPOSITORY / "workflows").glob("*.py")]
    modules += (REPOSITORY / "workflows" / "aws").glob("*.py")
    read = {SETTING, *(name for name, _ in _OF_PEOPLE.values())}
    for module in modules:
        read |= set(re.findall(r'(?:environment(?:\[|\.get\()|engine\()"([A-Z_]+)"', module.read_text()))
    given = {name for item in of_type("Lambda::Function").values() for name in item["Environment"]["Variables"]}
    assert given == read


def test_every_parameter_says_what_it_is_and_only_addresses_must_be_given(plain: dict[str, Any]) -> None:
    """Where the providers are, nobody can guess."""
    parameters = plain["Parameters"]
    assert all(len(found["Description"]) > 20 for found in parameters.values())
    assert {name for name, found in parameters.items() if "Default" not in found} == {
        "PaymentsUrl",
        "KitchenUrl",
        "CouriersUrl",
    }


def test_providers_are_called_over_tls(plain: dict[str, Any]) -> None:
    """The bearer tokens go with the calls. On the same machine, as in the tests, they go nowhere."""
    for name in ("PaymentsUrl", "KitchenUrl", "CouriersUrl"):
        pattern = plain["Parameters"][name]["AllowedPattern"]
        assert re.fullmatch(pattern, "https://payments.example/v1")
        assert re.fullmatch(pattern, "http://127.0.0.1:8081")
        assert not re.fullmatch(pattern, "http://payments.example")
        assert not re.fullmatch(pattern, "http://127.0.0.1.payments.example")


TAKEN = ["", "100.00 EUR", "100.00 EUR, 15000 JPY", "1.500 KWD,2 EUR"]
REFUSED = ["lots", "100", "EUR", "-1.00 EUR", "100.00 eur", "100.00EUR", "1,5 EUR", "100.00 EUR; 1 USD", "1. EUR"]


@pytest.mark.parametrize("text", [DEFAULT, *TAKEN, *REFUSED])
def test_a_limit_that_says_nothing_is_refused_by_the_deployment(plain: dict[str, Any], text: str) -> None:
    """Else the function refuses it, once it is there. How many decimals a currency has, only the function knows."""
    parameter = plain["Parameters"]["SecondPersonAbove"]
    assert parameter["Default"] == DEFAULT
    taken = re.fullmatch(parameter["AllowedPattern"], text) is not None
    assert taken is (text not in REFUSED)
    if taken:
        assert all(limit.minor >= 0 for limit in limits(text).values())


def test_every_route_asks_for_a_token_but_the_description(of_type: OfType) -> None:
    """A route that is added is closed unless it says otherwise."""
    (api,) = of_type("ApiGatewayV2::Api").values()
    open_ = {
        (method, path)
        for path, methods in api["Body"]["paths"].items()
        for method, route in methods.items()
        if route.get("security") != [{"Callers": []}]
    }
    assert open_ == {("get", "/openapi.json"), ("get", "/docs")}


def test_tokens_are_of_the_stacks_own_pool_and_client(of_type: OfType) -> None:
    """Nobody else's tokens, however valid."""
    (api,) = of_type("ApiGatewayV2::Api").values()
    (authorizer,) = api["Body"]["components"]["securitySchemes"].values()
    jwt = authorizer["x-amazon-apigateway-authorizer"]["jwtConfiguration"]
    assert jwt["issuer"] == {"Fn::Sub": "https://cognito-idp.${AWS::Region}.amazonaws.com/${Callers}"}
    assert jwt["audience"] == [{"Ref": "CallersClient"}]


def test_the_groups_are_the_roles(of_type: OfType) -> None:
    """Those that the domain knows, but for Expediter itself."""
    groups = {group["GroupName"] for group in of_type("Cognito::UserPoolGroup").values()}
    assert groups == {str(role) for role in ROLES}


def test_nobody_signs_up_by_themselves(of_type: OfType) -> None:
    """A caller is given a role by somebody who may."""
    (pool,) = of_type("Cognito::UserPool").values()
    assert pool["AdminCreateUserConfig"] == {"AllowAdminCreateUserOnly": True}


def test_the_api_takes_no_more_than_is_planned(of_type: OfType) -> None:
    """Beyond it callers hear 429, and the functions behind are spared."""
    (stage,) = of_type("ApiGatewayV2::Stage").values()
    settings = stage["DefaultRouteSettings"]
    assert named(settings["ThrottlingRateLimit"]) == "RequestsPerSecond"
    assert "ThrottlingBurstLimit" in settings


def test_every_handler_is_a_function(of_type: OfType) -> None:
    """One Lambda a handler, and none without one."""
    written = {
        f"handlers.{path.stem}.handler"
        for path in (REPOSITORY / "handlers").glob("*.py")
        if re.search(r"^(def handler\(|handler = )", path.read_text(), re.M)
    }
    assert {item["Handler"] for item in of_type("Lambda::Function").values()} == written


def test_every_function_runs_the_python_that_is_packed(of_type: OfType) -> None:
    """The wheels are for that interpreter on that processor: see the Makefile."""
    kinds = {(item["Runtime"], *item["Architectures"]) for item in of_type("Lambda::Function").values()}
    assert kinds == {("python3.13", "arm64")}
    recipe = (REPOSITORY / "Makefile").read_text()
    assert "--python-version 3.13" in recipe
    assert "_aarch64" in recipe


def test_the_machines_are_of_the_kind_that_their_definitions_need(of_type: OfType) -> None:
    """And both engines agree about it."""
    kinds = {name: item["StateMachineType"] for name, item in of_type("StepFunctions::StateMachine").items()}
    embedded = read_template(TEMPLATE).machines
    assert kinds == {name: "EXPRESS" if found.express else "STANDARD" for name, found in embedded.items()}


def test_a_second_stack_may_stand_beside_the_first(plain: dict[str, Any]) -> None:
    """What has a name of its own has the stack's in it."""
    for name, item in plain["Resources"].items():
        properties = item.get("Properties", {})
        for field in ("Name", "LogGroupName", "TableName", "BucketName", "QueueName", "TopicName", "RoleName"):
            if isinstance(properties.get(field), str):
                raise AssertionError(f"{name}.{field} is {properties[field]!r} in every stack")


def test_every_check_of_the_scanner_that_is_left_out_has_its_reason() -> None:
    """In one place, right above it."""
    text = (REPOSITORY / "tools" / "checkov.yaml").read_text()
    left_out = yaml.safe_load(text)["skip-check"]
    assert left_out
    for check in left_out:
        assert re.search(rf"^  # .{{20,}}\n  - {check}$", text, re.M), check
    assert not re.search(r"checkov|cfn-lint", TEMPLATE.read_text())


def test_a_machine_outlasts_all_that_its_parameters_allow_to_be_waited_for(plain: dict[str, Any]) -> None:
    """Else a slow order would end as a fault of ours. A courier is asked five times, and each may lose the pickup."""
    machines = {
        name: yaml.safe_load((REPOSITORY / "statemachines" / f"{name}.asl.yaml").read_text())
        for name in ("order", "preparation", "delivery")
    }
    most = {name: found["MaxValue"] for name, found in plain["Parameters"].items() if name.endswith("Seconds")}
    cooking = most["KitchenAnswerSeconds"] + most["KitchenReadySeconds"]
    asking = ATTEMPTS_MAX * (most["CourierAnswerSeconds"] + most["CourierPickupSeconds"])
    circuit = machines["preparation"]["States"]["AwaitKitchen"]["TimeoutSeconds"]
    assert machines["preparation"]["TimeoutSeconds"] > cooking + circuit
    assert machines["delivery"]["TimeoutSeconds"] > (
        most["KitchenAnswerSeconds"] + asking + most["CourierDeliverySeconds"]
    )
    for branch in machines["order"]["States"]["Fulfil"]["Branches"]:
        for name, task in branch["States"].items():
            child = machines[name.removeprefix("Run").lower()]
            assert child["TimeoutSeconds"] < task["TimeoutSeconds"] < machines["order"]["TimeoutSeconds"]
