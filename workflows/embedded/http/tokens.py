"""Mints and checks access tokens: stands for Amazon Cognito.

The tokens are JWTs with the claims of Cognito's tokens (``sub``, ``cognito:groups``), so handlers work unchanged. They
are signed with the secret in ``tokens.key`` in the engine's folder. A process that can read it can act in any role, so
only its owner may read the file.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workflows.boundary.private_files import secret_in

ROLES = ("customer", "restaurant", "courier", "support", "auditor", "service")
TTL_S = 3600
"""An hour, as Cognito's access tokens by default."""

CHECKED_MAX = 4096
"""Tokens whose claims are kept, some 1 KB each. One more, and all of them are checked again."""

_ISSUER = "expediter"
_AUDIENCE = "expediter"
_KEY_BYTES = 32  # as long as SHA-256's output, RFC 7518 section 3.2


class RoleUnknown(ValueError):
    """The role does not exist. The message lists the roles."""


class TokenRefused(Exception):
    """The token is not valid here, or has expired. The message says which, for ``WWW-Authenticate``."""


class AccessTokens:
    """Mints and checks tokens with one secret. The claims of tokens that were checked are kept until they expire."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._checked: dict[str, Mapping[str, Any]] = {}

    @classmethod
    def of(cls, folder: Path) -> AccessTokens:
        """Use the secret in ``tokens.key`` of an engine's folder; create it if it is missing. Raises SecretUnusable."""
        return cls(secret_in(folder / "tokens.key", _KEY_BYTES, otherwise="it invalidates all tokens"))

    def mint(self, role: str, subject: str, ttl_s: int = TTL_S) -> str:
        """Return a token for ``subject`` in one role, valid for ``ttl_s`` seconds. Raises RoleUnknown."""
        import jwt

        if role not in ROLES:
            raise RoleUnknown(f"there is no role {role!r}; the roles are: {', '.join(ROLES)}")
        now = int(time.time())
        claims = {"iss": _ISSUER, "aud": _AUDIENCE, "sub": subject, "cognito:groups": [role], "iat": now}
        return jwt.encode({**claims, "exp": now + ttl_s}, self._secret, algorithm="HS256")

    def claims(self, token: str) -> Mapping[str, Any]:
        """Check a token's signature, issuer, audience and expiry, and return its claims. Raises TokenRefused."""
        claims = self._checked.get(token)
        if claims is None or int(claims["exp"]) <= time.time():
            claims = self._check(token)
            if len(self._checked) >= CHECKED_MAX:
                self._checked.clear()
            self._checked[token] = claims
        return claims

    def _check(self, token: str) -> Mapping[str, Any]:
        import jwt

        required = ["exp", "iss", "aud", "sub"]
        try:
            return jwt.decode(
                token,
                self._secret,
                algorithms=["HS256"],
                issuer=_ISSUER,
                audience=_AUDIENCE,
                options={"require": required},
            )
        except jwt.ExpiredSignatureError:
            raise TokenRefused("the token has expired") from None
        except jwt.PyJWTError:
            raise TokenRefused("the token is not valid here") from None
