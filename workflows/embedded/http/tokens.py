"""Mints and checks access tokens: stands for Amazon Cognito.

The tokens are JWTs with the claims of Cognito's tokens (``sub``, ``cognito:groups``), so handlers work unchanged. They
are signed with the secret in ``tokens.key`` in the engine's folder. A process that can read it can act in any role, so
only its owner may read the file.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workflows.boundary.private_files import write_private

ROLES = ("customer", "restaurant", "courier", "support", "auditor", "service")
TTL_S = 3600
"""An hour, as Cognito's access tokens by default."""

_ISSUER = "expediter"
_AUDIENCE = "expediter"
_KEY_BYTES = 32  # as long as SHA-256's output, RFC 7518 section 3.2


class RoleUnknown(ValueError):
    """The role does not exist. The message lists the roles."""


class TokenRefused(Exception):
    """The token is not valid here, or has expired. The message says which, for ``WWW-Authenticate``."""


class SecretUnusable(Exception):
    """``tokens.key`` holds no usable secret. The message says what to do."""


class AccessTokens:
    """Mints and checks tokens with one secret."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    @classmethod
    def of(cls, folder: Path) -> AccessTokens:
        """Use the secret in ``tokens.key`` of an engine's folder; create it if it is missing. Raises SecretUnusable."""
        path = folder / "tokens.key"
        if not path.exists():
            write_private(path, secrets.token_hex(_KEY_BYTES))
        path.chmod(0o600)
        try:
            secret = bytes.fromhex(path.read_text(encoding="ascii"))
        except ValueError:
            secret = b""
        if len(secret) < _KEY_BYTES:
            raise SecretUnusable(f"{path} holds no secret; delete it to get a new one, which invalidates all tokens")
        return cls(secret)

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
