"""Callers, as Cognito's tokens and API Gateway describe them."""

from __future__ import annotations

from typing import Any

import pytest

from domain.identifiers import Actor, Role
from handlers.http.callers import caller
from handlers.http.problems import RequestRefused

UUID = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"

ACCESS_TOKEN = {
    "sub": UUID,
    "cognito:groups": "[restaurant]",
    "iss": "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_example",
    "client_id": "1example23456789",
    "token_use": "access",
    "scope": "aws.cognito.signin.user.admin",
    "auth_time": "1777896000",
    "exp": "1777899600",
    "username": "rst_1",
}
"""The claims of an access token as an HTTP API passes them on: all are strings.
https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-access-token.html"""


def actor(**changes: Any) -> Actor:
    claims = {name: value for name, value in (ACCESS_TOKEN | changes).items() if value is not None}
    return caller({"requestContext": {"requestId": "r", "authorizer": {"jwt": {"claims": claims}}}}, {}).actor


def test_a_user_of_the_pool_is_known_by_name() -> None:
    """Orders name a restaurant rst_1; Cognito's sub is a random UUID."""
    assert actor() == Actor(Role.RESTAURANT, "rst_1")


@pytest.mark.parametrize("username", [None, ""])
def test_a_token_without_a_name_is_known_by_its_subject(username: str | None) -> None:
    """Tokens of the embedded engine have no user name."""
    assert actor(username=username) == Actor(Role.RESTAURANT, UUID)


@pytest.mark.parametrize(
    "groups",
    ["[courier]", "[eu-central-1_example_Google courier]", "courier", "[courier, team-1]", ["courier"]],
    ids=str,
)
def test_groups_are_read_as_a_list_or_as_the_text_that_api_gateway_makes_of_one(groups: Any) -> None:
    """Groups that are not roles are ignored."""
    assert actor(**{"cognito:groups": groups}).role is Role.COURIER


@pytest.mark.parametrize("groups", ["[]", "[couriers]", "[courier support]", "[system]", None])
def test_a_token_with_no_role_or_two_is_refused(groups: str | None) -> None:
    """Also a token of the client_credentials grant, which has no group: services are users of the pool."""
    with pytest.raises(RequestRefused, match="exactly one role"):
        actor(**{"cognito:groups": groups, "username": None})


def test_an_id_token_is_refused() -> None:
    """It carries the user name under another claim, so its random sub would be taken for the name."""
    with pytest.raises(RequestRefused, match="Send the access token"):
        actor(token_use="id", username=None, **{"cognito:username": "rst_1"})


def test_a_name_that_no_order_can_carry_is_refused() -> None:
    """For example an email address, in a pool that allows them as user names."""
    with pytest.raises(RequestRefused, match="token's subject"):
        actor(username="ada@example.com")
