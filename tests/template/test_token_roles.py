"""The function of the user pool that leaves roles out of tokens until a second factor is set up."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest

from domain.identifiers import Role
from tests.template.conftest import Resources
from tests.template.policies import may

NEED = ("support", "auditor")


def event(*groups: str) -> dict[str, Any]:
    """Make an event as Cognito sends it.

    https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-pre-token-generation.html
    """
    configuration = {"groupsToOverride": list(groups), "iamRolesToOverride": [], "preferredRole": None}
    return {
        "version": "1",
        "triggerSource": "TokenGeneration_RefreshTokens",
        "userPoolId": "eu-west-1_pool",
        "userName": "anna",
        "request": {"userAttributes": {"sub": "1"}, "groupConfiguration": configuration},
        "response": {"claimsOverrideDetails": None},
    }


@pytest.fixture
def handler(state: dict[str, Any]) -> Any:
    """The handler in the template."""
    names: dict[str, Any] = {}
    exec(state["Resources"]["TokenRoles"]["Properties"]["Code"]["ZipFile"], names)  # the template is ours
    return names["handler"]


def with_factors(monkeypatch: pytest.MonkeyPatch, user: dict[str, Any]) -> list[dict[str, str]]:
    """Have Cognito describe each user as ``user``, and return the requests."""
    requests: list[dict[str, str]] = []

    def look_up(**request: str) -> dict[str, Any]:
        requests.append(request)
        return user

    client = SimpleNamespace(admin_get_user=look_up)
    monkeypatch.setitem(sys.modules, "boto3", SimpleNamespace(client=lambda _: client))
    return requests


@pytest.mark.parametrize("role", NEED)
@pytest.mark.parametrize("user", [{}, {"UserMFASettingList": []}, {"UserMFASettingList": ["SMS_MFA"]}], ids=repr)
def test_a_user_without_an_authenticator_app_gets_a_token_without_the_role(
    handler: Any, monkeypatch: pytest.MonkeyPatch, role: str, user: dict[str, Any]
) -> None:
    """The token can set one up, and the API refuses it with RoleUnclear. Other groups stay."""
    requests = with_factors(monkeypatch, user)
    answered = handler(event("night-shift", role), None)
    overridden = answered["response"]["claimsOverrideDetails"]["groupOverrideDetails"]
    assert overridden == {"groupsToOverride": ["night-shift"], "iamRolesToOverride": [], "preferredRole": None}
    assert requests == [{"UserPoolId": "eu-west-1_pool", "Username": "anna"}]


@pytest.mark.parametrize("role", NEED)
def test_a_user_with_an_authenticator_app_keeps_the_role(
    handler: Any, monkeypatch: pytest.MonkeyPatch, role: str
) -> None:
    """Cognito has asked for its code at the sign-in: an activated factor is asked for at each."""
    with_factors(monkeypatch, {"UserMFASettingList": ["SOFTWARE_TOKEN_MFA"]})
    assert handler(event(role), None) == event(role)


def test_other_roles_are_not_looked_up(handler: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Most logins are of customers, restaurants and couriers; services have no phone."""
    requests = with_factors(monkeypatch, {})
    others = {str(role) for role in Role} - {*NEED, "system"}
    for groups in [[], *([role] for role in others)]:
        assert handler(event(*groups), None) == event(*groups)
    assert requests == []


def test_no_token_is_made_if_the_user_cannot_be_looked_up(handler: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cognito refuses a sign-in whose function fails."""

    def unreachable(**_: str) -> None:
        raise ConnectionError

    client = SimpleNamespace(admin_get_user=unreachable)
    monkeypatch.setitem(sys.modules, "boto3", SimpleNamespace(client=lambda _: client))
    with pytest.raises(ConnectionError):
        handler(event("support"), None)


def test_the_pool_calls_the_function_for_every_token_and_lets_users_set_up_a_factor(resources: Resources) -> None:
    """The function may look up users of this pool and nothing else; only this pool may call it."""
    pool, permission = resources["Callers"]["Properties"], resources["TokenRolesPermission"]["Properties"]
    assert pool["LambdaConfig"] == {"PreTokenGeneration": {"Fn::GetAtt": ["TokenRoles", "Arn"]}}
    assert (pool["MfaConfiguration"], pool["EnabledMfas"]) == ("OPTIONAL", ["SOFTWARE_TOKEN_MFA"])
    assert permission["SourceArn"] == {"Fn::GetAtt": ["Callers", "Arn"]}
    allowed = {action: on for action, on in may(resources, "TokenRolesRole") if not action.startswith("logs:")}
    assert allowed == {"cognito-idp:AdminGetUser": "Callers.Arn"}
