"""The differences between MiniStack 1.5 and AWS, each with its workaround. Nothing else is changed.

``bridged`` changes the translated template. Differences without a workaround are covered by other tests:

* A stream mapping treats records that a function reports as failed as processed, and does not write a failed batch to
  S3: tests/handlers checks the feed against the batch semantics that AWS documents.
* Using an encrypted table, queue, topic or bucket needs no permission for its key: tests/template checks the key
  policies against the documentation of the services.
* SendTaskSuccess and SendTaskFailure are checked against any resource, so that a role that is limited to its machines
  is refused: test_roles asks the policy simulator.
* Permissions for the aliases of a function are checked as if all calls listed them: likewise.
* TimeToLiveSpecification of a table is ignored: tests/template compares it with the attribute that the store writes.
* Metric filters and alarms are created but never change state. Aliases move at once, without CodeDeploy.
* The function of the user pool changes ID tokens alone, on AWS access tokens too: tests/template/test_token_roles.py.
"""

from __future__ import annotations

import base64
import copy
import json
import re
from collections.abc import Collection, Mapping
from hashlib import sha256
from typing import Any

Resources = dict[str, dict[str, Any]]

UNKNOWN_TYPES = frozenset({"AWS::Events::Archive", "AWS::CodeDeploy::Application", "AWS::CodeDeploy::DeploymentGroup"})
"""A resource of an unknown type makes MiniStack refuse the whole template."""


def bridged(template: Mapping[str, Any], *, step_functions: str) -> dict[str, Any]:
    """Adapt the translated template to MiniStack.

    ``step_functions`` is the URL of the engine that runs the machines.
    """
    bridged = copy.deepcopy(dict(template))
    _skip_unsupported_resources(bridged)
    _allow_addresses_on_this_machine(bridged)
    _name_secrets_by_arn(bridged)
    _spell_out_http_apis(bridged["Resources"])
    _point_functions_at(step_functions, bridged["Resources"])
    _move_aliases_at_once(bridged["Resources"])
    return bridged


def _skip_unsupported_resources(template: dict[str, Any]) -> None:
    """Skip unsupported resources with a false condition: unknown types, alarms on metric math, and bucket policies.

    The bucket policy requires TLS, which the emulator does not use.
    """
    template.setdefault("Conditions", {})["Emulated"] = {"Fn::Equals": ["nothing", "this"]}
    for resource in template["Resources"].values():
        is_on_metric_math = resource["Type"] == "AWS::CloudWatch::Alarm" and "Metrics" in resource["Properties"]
        if resource["Type"] in UNKNOWN_TYPES or is_on_metric_math or resource["Type"] == "AWS::S3::BucketPolicy":
            resource["Condition"] = "Emulated"


def _allow_addresses_on_this_machine(template: dict[str, Any]) -> None:
    """Let providers be called without TLS: the sandbox of the tests has no certificate."""
    for parameter in template.get("Parameters", {}).values():
        if parameter.get("AllowedPattern", "").startswith("https://"):
            parameter["AllowedPattern"] = parameter["AllowedPattern"].replace("https://", "https?://", 1)


def _name_secrets_by_arn(template: dict[str, Any]) -> None:
    """Use ARNs of secrets: on MiniStack a reference to a secret is its name, on AWS its ARN, which policies need."""
    resources = template["Resources"]
    secrets = {name for name, resource in resources.items() if resource["Type"] == "AWS::SecretsManager::Secret"}
    template["Resources"] = _with_arns(resources, secrets)
    template["Outputs"] = _with_arns(template.get("Outputs", {}), secrets)


def _with_arns(part: Any, secrets: Collection[str]) -> Any:
    match part:
        case {"Ref": name} if name in secrets:
            return {"Fn::GetAtt": [name, "Id"]}
        case dict():
            return {key: _with_arns(value, secrets) for key, value in part.items()}
        case list():
            return [_with_arns(value, secrets) for value in part]
        case _:
            return part


# --- HTTP APIs ---------------------------------------------------------------------------------------------------


def _spell_out_http_apis(resources: Resources) -> None:
    """Turn an API's authorizers, integrations and routes into resources, because MiniStack ignores its ``Body``."""
    for name, resource in list(resources.items()):
        body = resource.get("Properties", {}).get("Body")
        if resource["Type"] == "AWS::ApiGatewayV2::Api" and body is not None:
            resource["Properties"] = {"Name": body["info"]["title"], "ProtocolType": "HTTP"}
            schemes = body.get("components", {}).get("securitySchemes", {})
            for scheme, definition in schemes.items():
                resources[f"{name}{scheme}"] = _authorizer(name, scheme, definition["x-amazon-apigateway-authorizer"])
            for path, methods in body["paths"].items():
                for method, operation in methods.items():
                    _spell_out_route(resources, name, f"{method.upper()} {path}", operation)


def _authorizer(api: str, scheme: str, authorizer: Mapping[str, Any]) -> dict[str, Any]:
    configuration = authorizer["jwtConfiguration"]
    properties = {
        "ApiId": {"Ref": api},
        "AuthorizerType": "JWT",
        "Name": scheme,
        "IdentitySource": [authorizer["identitySource"]],
        "JwtConfiguration": {"Issuer": configuration["issuer"], "Audience": configuration["audience"]},
    }
    return {"Type": "AWS::ApiGatewayV2::Authorizer", "Properties": properties}


def _spell_out_route(resources: Resources, api: str, route: str, operation: Mapping[str, Any]) -> None:
    integration = operation["x-amazon-apigateway-integration"]
    stem = f"{api}{re.sub(r'[^0-9A-Za-z]', '', route.title())}"
    # One integration for all routes of a function, as a stack may have 500 resources, here as on AWS.
    shared = f"{api}Integration{sha256(json.dumps(integration['uri'], sort_keys=True).encode()).hexdigest()[:16]}"
    resources[shared] = {
        "Type": "AWS::ApiGatewayV2::Integration",
        "Properties": {
            "ApiId": {"Ref": api},
            "IntegrationType": "AWS_PROXY",
            "IntegrationUri": integration["uri"],
            "PayloadFormatVersion": integration["payloadFormatVersion"],
        },
    }
    schemes = [scheme for scheme in _schemes(operation) if scheme != "NONE"]
    secured = {"AuthorizationType": "JWT", "AuthorizerId": {"Ref": f"{api}{schemes[0]}"}} if schemes else {}
    resources[f"{stem}Route"] = {
        "Type": "AWS::ApiGatewayV2::Route",
        "Properties": {
            "ApiId": {"Ref": api},
            "RouteKey": route,
            "Target": {"Fn::Sub": f"integrations/${{{shared}}}"},
            **secured,
        },
    }


def _schemes(operation: Mapping[str, Any]) -> list[str]:
    return [scheme for requirement in operation.get("security", []) for scheme in requirement]


# --- functions ---------------------------------------------------------------------------------------------------


def _point_functions_at(step_functions: str, resources: Resources) -> None:
    """Point the functions at the embedded engine's Step Functions, see ``step_functions.py``."""
    for resource in resources.values():
        if resource["Type"] == "AWS::Lambda::Function" and "Environment" in resource["Properties"]:
            resource["Properties"]["Environment"]["Variables"]["AWS_ENDPOINT_URL_SFN"] = step_functions


def _move_aliases_at_once(resources: Resources) -> None:
    """Leave out that CodeDeploy moves aliases, which the emulator does not have."""
    for resource in resources.values():
        if resource["Type"] == "AWS::Lambda::Alias":
            resource.pop("UpdatePolicy", None)


def error_name(reported: str, log_tail: str) -> str:
    """Find the name of a function's error, which state machines match on.

    MiniStack reports ``Runtime.HandlerError`` for every exception; the last line of the trace in the log has the class.
    """
    if reported != "Runtime.HandlerError":
        return reported
    lines = base64.b64decode(log_tail).decode(errors="replace").rstrip().splitlines()
    raised = [match[1] for line in lines if (match := re.match(r"(?:\w+\.)*(\w+)(?::|$)", line))]
    return raised[-1] if raised else reported
