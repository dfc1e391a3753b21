"""Logs in at Cognito: exchanges a name and a password for tokens, and a refresh token for a new access token.

These calls are not signed, because a user has no AWS credentials. ``AWS_ENDPOINT_URL`` sends them elsewhere.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from workflows.cli.aws import explained, made
from workflows.cli.failures import AccessDenied, CommandFailed, CommandRefused, InvalidInput
from workflows.cli.logins import Login

EARLY_S = 60.0
"""A token is not used in its last minute, because clocks differ and a request takes time."""

Ask = Callable[[str], str]
"""Prompts for a text that is not shown while it is typed."""


def is_fresh(login: Login) -> bool:
    """Tell whether the access token is still valid for a request."""
    return time.time() < login.expires_at - EARLY_S


def logged_in(*, url: str, region: str, client_id: str, username: str, ask: Ask) -> Login:
    """Prompt for the password and what else Cognito requires, and return the login. Raises CommandFailed."""
    with _asked(region) as client:
        password = ask("Password: ")
        answer = client.initiate_auth(
            ClientId=client_id,
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": username, "PASSWORD": password},
        )
        while "ChallengeName" in answer:
            answer = client.respond_to_auth_challenge(
                ClientId=client_id,
                ChallengeName=answer["ChallengeName"],
                Session=answer["Session"],
                ChallengeResponses={"USERNAME": username, **_responses(answer, ask)},
            )
    tokens = answer["AuthenticationResult"]
    return Login(
        url=url,
        region=region,
        client_id=client_id,
        username=username,
        access_token=tokens["AccessToken"],
        refresh_token=tokens["RefreshToken"],
        expires_at=time.time() + tokens["ExpiresIn"],
    )


def renewed(login: Login) -> Login:
    """Return the login with a new access token. Raises AccessDenied if the refresh token has expired."""
    try:
        with _asked(login.region) as client:
            answer = client.initiate_auth(
                ClientId=login.client_id,
                AuthFlow="REFRESH_TOKEN_AUTH",
                AuthParameters={"REFRESH_TOKEN": login.refresh_token},
            )
    except AccessDenied as over:
        why = str(over).rstrip(".")
        raise AccessDenied(f"the login at {login.url} has expired: {why}; expediter login --url {login.url}") from None
    tokens = answer["AuthenticationResult"]
    return replace(
        login,
        access_token=tokens["AccessToken"],
        refresh_token=tokens.get("RefreshToken", login.refresh_token),
        expires_at=time.time() + tokens["ExpiresIn"],
    )


def with_second_factor(login: Login, *, ask: Ask, show: Callable[[str], None]) -> Login:
    """Set up an authenticator app for the user, and return the login with a token that has the user's role.

    Every later login asks for a code of the app. Raises CommandFailed, e.g. for a wrong code: nothing is changed then.
    """
    with _asked(login.region) as client:
        secret = client.associate_software_token(AccessToken=login.access_token)["SecretCode"]
        show(f"add this key to an authenticator app: {secret}")
        client.verify_software_token(AccessToken=login.access_token, UserCode=ask("Code of the app: "))
        client.set_user_mfa_preference(
            AccessToken=login.access_token, SoftwareTokenMfaSettings={"Enabled": True, "PreferredMfa": True}
        )
    return renewed(login)


def revoke(login: Login) -> None:
    """Revoke the refresh token and the access tokens made from it. Raises CommandFailed."""
    with _asked(login.region) as client:
        client.revoke_token(Token=login.refresh_token, ClientId=login.client_id)


def _responses(answer: Mapping[str, Any], ask: Ask) -> dict[str, str]:
    """Return the answers to one challenge. Raises CommandRefused for one that needs a browser or another device."""
    challenge = answer["ChallengeName"]
    if challenge == "NEW_PASSWORD_REQUIRED":
        new = ask("The password has to be changed. New password: ")
        if ask("New password again: ") != new:
            raise InvalidInput("the two new passwords differ; nothing was changed")
        return {"NEW_PASSWORD": new}
    if challenge in {"SOFTWARE_TOKEN_MFA", "SMS_MFA"}:
        return {f"{challenge}_CODE": ask("Code: ")}
    raise CommandRefused(
        f"Cognito asks for {challenge}, which expediter cannot answer; set EXPEDITER_TOKEN to an access token"
    )


@contextmanager
def _asked(region: str) -> Iterator[Any]:
    """Yield a client and turn its errors into CommandFailed."""
    from botocore import UNSIGNED
    from botocore.config import Config
    from botocore.exceptions import ClientError

    patience = Config(signature_version=UNSIGNED, connect_timeout=5, read_timeout=10, retries={"mode": "standard"})
    with explained(f"Cognito in {region}"):
        client = made("cognito-idp", region, patience)
        try:
            yield client
        except ClientError as error:
            raise _refusal(error.response["Error"]) from None


def _refusal(error: Mapping[str, Any]) -> CommandFailed:
    code, said = str(error.get("Code", "")), str(error.get("Message", "")).rstrip(".")
    match code:
        case "NotAuthorizedException" | "UserNotFoundException" | "UserNotConfirmedException" | "CodeMismatchException":
            return AccessDenied(said or code)
        case "PasswordResetRequiredException":
            return AccessDenied(f"{said}; ask an administrator of the user pool to reset it")
        case "ResourceNotFoundException":
            return InvalidInput(f"there is no such user pool client: {said}; see --user-pool-client and --region")
        case "InvalidParameterException" if "USER_PASSWORD_AUTH" in said:
            return InvalidInput(
                f"{said}: its ExplicitAuthFlows need ALLOW_USER_PASSWORD_AUTH and ALLOW_REFRESH_TOKEN_AUTH"
            )
        case _:
            return CommandRefused(f"Cognito refuses: {said or code}")
