"""Parameters, variables, routes and roles: the code reads what the template configures, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml

from domain.order.delivery import ATTEMPTS_MAX
from handlers.http.callers import ROLES
from tests.template.conftest import Resources
from tests.template.policies import function_of, named
from tests.template.translated import REPOSITORY, TEMPLATE
from workflows.asl.reading.source import read
from workflows.embedded.template import read_template
from workflows.gateways.http.settings import read_providers
from workflows.incidents.approval_limits import DEFAULT, read_limits
from workflows.publishing.webhooks.targets import read_targets
from workflows.runs.machines import read_machines
from workflows.settings import (
    Reader,
    amounts,
    read_archive_after_days,
    read_archive_bucket,
    read_checkpoint_key,
    read_checkpoints_bucket,
    read_event_bus,
    read_export_maker,
    read_exports_bucket,
    read_failed_batches_bucket,
    read_keys,
    read_manifest_signer,
    read_pictures_bucket,
    read_stores,
    read_views_secret,
)
from workflows.upkeep.settings import read_upkeep

OfType = Callable[[str], Resources]


class Recorder(dict[str, str]):
    """An empty environment that records the names of the variables that are read."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:
        self.names.add(name)
        return default


GROUPS = (
    *(read_stores, read_keys, read_providers, read_event_bus, read_upkeep, read_limits, read_targets),
    *(read_views_secret, read_pictures_bucket, read_machines, read_checkpoints_bucket, read_checkpoint_key),
    *(read_exports_bucket, read_export_maker, read_manifest_signer, read_archive_bucket, read_archive_after_days),
    read_failed_batches_bucket,
)


def test_the_template_sets_every_variable_that_is_read_and_no_other(of_type: OfType) -> None:
    """Except the variables of circuit breakers, which may be added to any function."""
    environment = Recorder()
    for group in GROUPS:
        group(Reader(environment))
    configured = {name for item in of_type("Lambda::Function").values() for name in item["Environment"]["Variables"]}
    assert configured == environment.names


def test_the_parameter_log_level_is_the_level_of_every_function(of_type: OfType, plain: dict[str, Any]) -> None:
    """Lambda's runtime sets it on the root logger. Metric filters count lines of level INFO."""
    levels = [function["LoggingConfig"]["ApplicationLogLevel"] for function in of_type("Lambda::Function").values()]
    assert all(level == {"Ref": "LogLevel"} for level in levels)
    assert plain["Parameters"]["LogLevel"]["Default"] == "INFO"


def test_every_parameter_has_a_description_and_only_addresses_have_no_default(
    plain: dict[str, Any], state: dict[str, Any]
) -> None:
    """The addresses of providers have no sensible default. The state's names are passed by the deployment; that of the
    pool's function is for the stack that watches.
    """
    parameters = plain["Parameters"]
    assert all(len(parameter["Description"]) > 20 for parameter in parameters.values())
    without = {name for name, parameter in parameters.items() if "Default" not in parameter}
    assert without == {"PaymentsUrl", "KitchenUrl", "CouriersUrl"} | set(state["Outputs"]) - {"TokenRoles"}


def test_each_stack_gets_its_parameters_from_the_stacks_before_it(
    plain: dict[str, Any], state: dict[str, Any], watching: dict[str, Any]
) -> None:
    """A deployment passes outputs to the parameters of the same names, so each name is an output before."""
    earlier = set(state["Outputs"]) | set(plain["Outputs"])
    assert set(watching["Parameters"]) - earlier == {"AlarmEmail"}
    assert all(parameter["Type"] == "String" for name, parameter in watching["Parameters"].items())
    conditional = {name for name, output in plain["Outputs"].items() if "Condition" in output}
    assert {name for name, parameter in watching["Parameters"].items() if parameter.get("Default") == "none"} == (
        conditional & set(watching["Parameters"])
    )


def test_providers_are_called_over_tls(plain: dict[str, Any]) -> None:
    """Calls carry bearer tokens. A function of Lambda has no provider on its own machine."""
    for name in ("PaymentsUrl", "KitchenUrl", "CouriersUrl"):
        pattern = plain["Parameters"][name]["AllowedPattern"]
        assert re.fullmatch(pattern, "https://payments.example/v1")
        for plain_http in ("http://127.0.0.1:8081", "http://localhost/", "http://payments.example"):
            assert not re.fullmatch(pattern, plain_http)


TAKEN = ["", "100.00 EUR", "100.00 EUR, 15000 JPY", "1.500 KWD,2 EUR"]
REFUSED = ["lots", "100", "EUR", "-1.00 EUR", "100.00 eur", "100.00EUR", "1,5 EUR", "100.00 EUR; 1 USD", "1. EUR"]


@pytest.mark.parametrize("text", [DEFAULT, *TAKEN, *REFUSED])
def test_the_deployment_refuses_an_invalid_limit(plain: dict[str, Any], text: str) -> None:
    """Otherwise the deployed function would refuse it. Only the function checks the decimals of a currency."""
    parameter = plain["Parameters"]["SecondPersonAbove"]
    assert parameter["Default"] == DEFAULT
    taken = re.fullmatch(parameter["AllowedPattern"], text) is not None
    assert taken is (text not in REFUSED)
    if taken:
        assert all(limit.minor >= 0 for limit in amounts(text).values())


def test_every_route_requires_a_token_except_menus_and_the_documentation(of_type: OfType) -> None:
    """A new route requires a token by default. Restaurants, menus and the documentation are public."""
    (api,) = of_type("ApiGatewayV2::Api").values()
    open_ = {
        (method, path)
        for path, methods in api["Body"]["paths"].items()
        for method, route in methods.items()
        if route.get("security") != [{"Callers": []}]
    }
    assert open_ == {
        (method, path)
        for method in ("get", "head")
        for path in (
            *("/openapi.json", "/asyncapi.json", "/docs", "/docs/{asset}"),
            *("/restaurants", "/restaurants/{restaurant_id}", "/restaurants/{restaurant_id}/popular"),
            "/restaurants/{restaurant_id}/menus/{menu_version}",
            "/restaurants/{restaurant_id}/pictures/{picture}",
        )
    }


def test_only_tokens_of_the_stack_s_own_pool_and_client_are_accepted(of_type: OfType) -> None:
    """Valid tokens of other pools are refused."""
    (api,) = of_type("ApiGatewayV2::Api").values()
    (authorizer,) = api["Body"]["components"]["securitySchemes"].values()
    jwt = authorizer["x-amazon-apigateway-authorizer"]["jwtConfiguration"]
    assert jwt["issuer"] == {"Fn::Sub": "https://cognito-idp.${AWS::Region}.amazonaws.com/${Callers}"}
    assert jwt["audience"] == [{"Ref": "CallersClient"}]


def test_the_groups_are_the_roles(of_type: OfType) -> None:
    """All roles of the domain except the system itself."""
    groups = {group["GroupName"] for group in of_type("Cognito::UserPoolGroup").values()}
    assert groups == {str(role) for role in ROLES}


def test_only_an_administrator_creates_users(of_type: OfType) -> None:
    """A user gets a role from an administrator."""
    (pool,) = of_type("Cognito::UserPool").values()
    assert pool["AdminCreateUserConfig"] == {"AllowAdminCreateUserOnly": True}


def test_the_api_is_throttled(of_type: OfType) -> None:
    """Above the limit callers get 429, and the functions are not overloaded."""
    (stage,) = of_type("ApiGatewayV2::Stage").values()
    settings = stage["DefaultRouteSettings"]
    assert named(settings["ThrottlingRateLimit"]) == "RequestsPerSecond"
    assert "ThrottlingBurstLimit" in settings


def test_every_route_without_a_token_has_a_limit_of_its_own(of_type: OfType) -> None:
    """Each route of an HTTP API has its own bucket; strangers get a smaller one, and the documentation the smallest."""
    (api,) = of_type("ApiGatewayV2::Api").values()
    (stage,) = of_type("ApiGatewayV2::Stage").values()
    open_ = {
        f"{method.upper()} {path}"
        for path, methods in api["Body"]["paths"].items()
        for method, route in methods.items()
        if route.get("security") != [{"Callers": []}]
    }
    limits = {route: limit["ThrottlingRateLimit"] for route, limit in stage["RouteSettings"].items()}
    assert set(limits) == open_
    public = {route for route, limit in limits.items() if limit == {"Ref": "PublicRequestsPerSecond"}}
    assert {limit for route, limit in limits.items() if route not in public} == {5}
    assert {route for route in open_ if "/restaurants" in route} == public
    for limit in stage["RouteSettings"].values():
        assert limit["ThrottlingBurstLimit"] == limit["ThrottlingRateLimit"]


def test_concurrency_is_reserved_for_steps_and_feed_alone_and_only_by_parameter(plain: dict[str, Any]) -> None:
    """A reservation takes from all other functions of the account, and new accounts have ten."""
    functions = {name: each["Properties"] for name, each in plain["Resources"].items() if "Function" in each["Type"]}
    reserved = {
        name: each["ReservedConcurrentExecutions"]["Fn::If"]
        for name, each in functions.items()
        if "ReservedConcurrentExecutions" in each
    }
    assert {name: (chosen[0], chosen[2]) for name, chosen in reserved.items()} == {
        name: (f"Has{name}Concurrency", {"Ref": "AWS::NoValue"}) for name in ("SagaStep", "Feed")
    }
    assert {plain["Parameters"][f"{name}Concurrency"]["Default"] for name in reserved} == {0}


def test_one_origin_may_call_the_api_from_a_browser_and_by_default_none(of_type: OfType, plain: dict[str, Any]) -> None:
    """Never every origin, and without credentials of the browser. All headers that the API reads may be sent."""
    (api,) = of_type("ApiGatewayV2::Api").values()
    cors = api["Body"]["x-amazon-apigateway-cors"]
    origin = plain["Parameters"]["CorsOrigin"]
    assert origin["Default"] == ""
    assert not any(re.fullmatch(origin["AllowedPattern"], text) for text in ("*", "https://*", "http://a"))
    [allowed] = cors["allowOrigins"]
    assert allowed["Fn::If"] == ["HasCorsOrigin", "", "https://none.invalid"]  # RFC 2606: no such address exists
    assert "allowCredentials" not in cors
    methods = {method.upper() for methods in api["Body"]["paths"].values() for method in methods} - {"OPTIONS"}
    assert set(cors["allowMethods"]) >= methods
    read = {"authorization", "content-type", "idempotency-key", "if-match", "if-none-match", "prefer", "traceparent"}
    assert set(cors["allowHeaders"]) == read


def test_functions_of_the_api_end_before_the_gateway_stops_waiting(of_type: OfType) -> None:
    """After 30 s an HTTP API answers 503 while the function goes on, and the caller's retry meets it."""
    permissions = of_type("Lambda::Permission").values()
    behind = {
        function_of(each["FunctionName"]) for each in permissions if each["Principal"] == "apigateway.amazonaws.com"
    }
    functions = of_type("Lambda::Function")
    assert {name: functions[name]["Timeout"] for name in behind if functions[name]["Timeout"] >= 30} == {}


def test_a_machine_waits_no_longer_for_an_action_than_the_function_may_run(of_type: OfType) -> None:
    """The function would be ended in the middle of a compensation, and begun again from what it had recorded."""
    limits: dict[str, int] = {}
    for path in (REPOSITORY / "statemachines").iterdir():
        definition: Any = read(path.read_text())
        limits |= {f"{path.stem} {name}": limit for name, limit in _limits_of_actions(definition)}
    assert limits
    function = of_type("Lambda::Function")["SagaStep"]["Timeout"]
    assert {name: limit for name, limit in limits.items() if limit > function} == {}


def _limits_of_actions(definition: dict[str, Any]) -> Iterator[tuple[str, int]]:
    for name, state in definition["States"].items():
        for branch in state.get("Branches", ()):
            yield from _limits_of_actions(branch)
        if state.get("Resource") == "arn:aws:states:::lambda:invoke":
            yield name, state["TimeoutSeconds"]


def test_nothing_refers_to_what_a_deployment_without_a_database_lacks(resources: Resources) -> None:
    """Without the parameter, such a reference would make the deployment fail, or create a part that does nothing."""
    optional = {name: item["Condition"] for name, item in resources.items() if "Condition" in item}
    assert {"Projector", "ProjectorQueue", "ProjectorSubscription", "ReadViewsSecret"} <= set(optional)
    for name, item in resources.items():
        if item["Type"] == "AWS::CloudWatch::Dashboard":
            continue  # a queue that does not exist is a line without points
        for other in _names_in(item["Properties"]) & set(optional):
            assert optional[other] in IMPLIED.get(optional.get(name, ""), ()), f"{name} refers to {other}"


@pytest.mark.parametrize("stack", ["state", "plain", "watching"])
def test_a_stack_refers_to_its_own_resources_and_parameters(stack: str, request: pytest.FixtureRequest) -> None:
    """CloudFormation refuses a template that refers to a resource of another stack."""
    template = request.getfixturevalue(stack)
    own = {*template["Resources"], *template["Parameters"], "AWS"}
    used = {name.partition(":")[0] for name in _names_in([template["Resources"], template["Outputs"]])}
    assert used - own == set()


IMPLIED = {"HasViews": {"HasViews"}, "HasViewsNetwork": {"HasViewsNetwork", "HasViews"}}
"""By a condition, the conditions that hold with it."""


def _names_in(part: Any) -> set[str]:
    match part:
        case {"Ref": str(name)}:
            return {name}
        case {"Fn::GetAtt": [str(name), _]}:
            return {name}
        case {"Fn::Sub": str(text)}:
            return set(re.findall(r"\$\{(\w+)", text))
        case dict():
            return {name for value in part.values() for name in _names_in(value)}
        case list():
            return {name for value in part for name in _names_in(value)}
        case _:
            return set()


def test_every_handler_is_a_function(of_type: OfType) -> None:
    """Each handler has one Lambda function, and each function a handler."""
    written = {
        f"handlers.{path.stem}.handler"
        for path in (REPOSITORY / "handlers").glob("*.py")
        if re.search(r"^(def handler\(|handler = )", path.read_text(), re.M)
    }
    assert {item["Handler"] for item in of_type("Lambda::Function").values()} == written


def test_every_function_runs_the_python_that_the_artifact_is_built_for(of_type: OfType) -> None:
    """The wheels are for this interpreter and processor, see the Makefile."""
    kinds = {(item["Runtime"], *item["Architectures"]) for item in of_type("Lambda::Function").values()}
    assert kinds == {("python3.13", "arm64")}
    recipe = (REPOSITORY / "Makefile").read_text()
    assert "--python-version 3.13" in recipe
    assert "_aarch64" in recipe


def test_each_machine_has_the_type_that_its_definition_needs(of_type: OfType) -> None:
    """Standard or Express, and the embedded engine uses the same."""
    kinds = {name: item["StateMachineType"] for name, item in of_type("StepFunctions::StateMachine").items()}
    embedded = read_template(TEMPLATE).machines
    assert kinds == {name: "EXPRESS" if machine.express else "STANDARD" for name, machine in embedded.items()}


def test_two_stacks_can_exist_in_one_account(plain: dict[str, Any]) -> None:
    """Every explicit name contains the name of the stack."""
    for name, item in plain["Resources"].items():
        properties = item.get("Properties", {})
        for field in ("Name", "LogGroupName", "TableName", "BucketName", "QueueName", "TopicName", "RoleName"):
            if isinstance(properties.get(field), str) and item["Type"] != "AWS::Lambda::Alias":  # part of its function
                raise AssertionError(f"{name}.{field} is {properties[field]!r} in every stack")


def test_every_skipped_check_of_the_scanner_has_a_reason() -> None:
    """It stands in the line above the check."""
    text = (REPOSITORY / "tools" / "checkov.yaml").read_text()
    left_out = yaml.safe_load(text)["skip-check"]
    assert left_out
    for check in left_out:
        assert re.search(rf"^  # .{{20,}}\n  - {check}$", text, re.M), check
    assert not re.search(r"checkov|cfn-lint", TEMPLATE.read_text())


def test_a_machine_s_timeout_is_longer_than_all_its_waits_together(plain: dict[str, Any]) -> None:
    """Otherwise a slow order would fail. Five couriers may be asked, and each may miss the pickup."""
    machine: Any = read((REPOSITORY / "statemachines" / "order.asl.yaml").read_text())
    most = {name: parameter["MaxValue"] for name, parameter in plain["Parameters"].items() if name.endswith("Seconds")}
    asking = ATTEMPTS_MAX * (most["CourierAnswerSeconds"] + most["CourierPickupSeconds"])
    delivering = max(asking + most["CourierDeliverySeconds"], most["KitchenReadySeconds"])
    circuit = machine["States"]["AwaitKitchen"]["TimeoutSeconds"]
    assert machine["TimeoutSeconds"] > most["KitchenAnswerSeconds"] + delivering + 3 * circuit
