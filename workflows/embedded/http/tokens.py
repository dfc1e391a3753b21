"""Access tokens of the embedded engine: JWTs signed with a secret that stays in its folder.

They carry what Cognito's carry on AWS (``sub``, ``cognito:groups``), so a handler cannot tell the difference. Whoever
can read ``tokens.key`` can act as anybody: it is readable by its owner alone.
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROLES = ("customer", "restaurant", "courier", "support", "auditor", "service")
TTL_S = 3600
"""An hour, as Cognito's access tokens by default."""

_ISSUER = "expediter"
_AUDIENCE = "expediter"
_KEY_BYTES = 32  # as long as SHA-256's output, RFC 7518 section 3.2


class RoleUnknown(ValueError):
    """There is no such role. The message lists them."""


class TokenRefused(Exception):
    """Not a token of ours, or out of date. The message says which, for ``WWW-Authenticate``."""


class SecretUnusable(Exception):
    """What is in ``tokens.key`` signs nothing. The message says what to do."""


class AccessTokens:
    """Mint and check tokens with one secret."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    @classmethod
    def of(cls, folder: Path) -> AccessTokens:
        """With the secret in ``tokens.key`` of an engine's folder, which is made when it is missing.

        Raises SecretUnusable.
        """
        path = folder / "tokens.key"
        if not path.exists():
            _make_secret(path)
        path.chmod(0o600)
        try:
            secret = bytes.fromhex(path.read_text(encoding="ascii"))
        except ValueError:
            secret = b""
        if len(secret) < _KEY_BYTES:
            raise SecretUnusable(f"{path} holds no secret; delete it for a new one, which ends all tokens given out")
        return cls(secret)

    def mint(self, role: str, subject: str, ttl_s: int = TTL_S) -> str:
        """A token for ``subject`` in one role. Raises RoleUnknown."""
        import jwt

        if role not in ROLES:
            raise RoleUnknown(f"there is no role {role!r}; there is: {', '.join(ROLES)}")
        now = int(time.time())
        claims = {"iss": _ISSUER, "aud": _AUDIENCE, "sub": subject, "cognito:groups": [role], "iat": now}
        return jwt.encode({**claims, "exp": now + ttl_s}, self._secret, algorithm="HS256")

    def claims(self, token: str) -> Mapping[str, Any]:
        """What a token says, once its signature, issuer, audience and time are right. Raises TokenRefused."""
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


def _make_secret(path: Path) -> None:
    """All of it or nothing, wherever the process is killed. Only the engine makes one, and a folder has one engine."""
    new = path.with_suffix(".new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_hex(_KEY_BYTES))
        file.flush()
        os.fsync(descriptor)
    new.replace(path)
