"""The caller of a request, from the claims that API Gateway's authorizer checked, and the trace it belongs to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from domain.identifiers import Actor, InvalidIdentifier, Role, parse_name
from handlers.http.refusals import AccessTokenRequired, RoleUnclear, SubjectUnusable, Unauthenticated
from workflows.orders.command_handling import Caller
from workflows.tracing import trace_of_request

ROLES = frozenset(Role) - {Role.SYSTEM}
"""The roles that a token can carry. SYSTEM is Expediter itself."""

_BEARER = {"WWW-Authenticate": "Bearer"}


def caller(event: Mapping[str, Any], headers: Mapping[str, str]) -> Caller:
    """Return the caller of an API Gateway event, whose header names are in small letters.

    Its correlation is the trace id of the request, if it has one, else the id of the request.

    Raises:
        Unauthenticated, AccessTokenRequired: There is no access token (401).
        RoleUnclear, SubjectUnusable: Its role or user name cannot be used here (403).
    """
    context = event.get("requestContext") or {}
    claims = ((context.get("authorizer") or {}).get("jwt") or {}).get("claims")
    if not isinstance(claims, Mapping):
        detail = "Send an access token: Authorization: Bearer ..."
        raise Unauthenticated(detail, headers=_BEARER)
    request = str(context.get("requestId") or "unknown")
    return Caller(actor=_actor(claims), correlation=trace_of_request(headers) or request, causation=request)


def token_ends(event: Mapping[str, Any]) -> datetime:
    """Return when the caller's access token expires. The authorizer lets no token pass without."""
    claims = event["requestContext"]["authorizer"]["jwt"]["claims"]
    return datetime.fromtimestamp(int(claims["exp"]), UTC)


def _actor(claims: Mapping[str, Any]) -> Actor:
    roles = sorted(ROLES & set(_groups(claims.get("cognito:groups"))))
    if len(roles) != 1:
        names = ", ".join(sorted(ROLES))
        raise RoleUnclear(
            f"The token must carry exactly one role in cognito:groups, of: {names}. "
            "Support and auditors get theirs after they set up a second factor: expediter login --second-factor"
        )
    try:
        return Actor(Role(roles[0]), parse_name(_subject(claims), "token's subject"))
    except InvalidIdentifier as error:
        raise SubjectUnusable(str(error)) from error


def _subject(claims: Mapping[str, Any]) -> str:
    """Return the name that orders carry, e.g. ``rst_1``.

    It is the user name in an access token of Cognito, whose ``sub`` is random. Only administrators of the pool choose
    user names, so a user cannot take another's.
    """
    if claims.get("token_use", "access") != "access":
        detail = "Send the access token. An id token is for the client that requested it."
        raise AccessTokenRequired(detail, headers=_BEARER)
    return str(claims.get("username") or claims.get("sub") or "")


def _groups(claim: Any) -> list[str]:
    """Read the groups from a list, or from API Gateway's text of a list: ``[customer]``, ``[eu-west-1_x customer]``."""
    if isinstance(claim, list):
        return [item for item in claim if isinstance(item, str)]
    return re.split(r"[\s,]+", claim.strip().strip("[]").strip()) if isinstance(claim, str) else []
