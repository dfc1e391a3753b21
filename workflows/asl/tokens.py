"""Task tokens: what an outside party holds to settle a task.

A token carries the ARN of its execution, so that whoever receives it knows where to route it without an index, and 24
bytes drawn from the seed of the signal that made it, so that nobody can guess it. It carries nothing else.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import Final

_SECRET: Final = 24  # bytes
_CHECK: Final = 4  # bytes; tells a damaged token from a closed one
_VERSION: Final = b"\x01"


class InvalidToken(ValueError):
    """Not a task token; SendTaskSuccess answers InvalidToken."""

    def __init__(self) -> None:
        super().__init__("Invalid Token: this is no task token")


def make_token(execution_arn: str, secret: bytes) -> str:
    """A token for one task of the execution."""
    body = _VERSION + secret[:_SECRET] + execution_arn.encode()
    return base64.urlsafe_b64encode(body + _check(body)).decode().rstrip("=")


def token_execution(token: str) -> str:
    """The ARN of the execution that the token belongs to, whether the token is still open or not.

    Raises:
        InvalidToken: It is damaged, or was never a token.
    """
    try:
        raw = base64.b64decode(token.encode("ascii") + b"=" * (-len(token) % 4), altchars=b"-_", validate=True)
        body, check = raw[:-_CHECK], raw[-_CHECK:]
        if body[:1] != _VERSION or len(body) <= 1 + _SECRET or check != _check(body):
            raise InvalidToken
        return body[1 + _SECRET :].decode()
    except (binascii.Error, UnicodeError, AttributeError):
        raise InvalidToken from None


def _check(body: bytes) -> bytes:
    return hashlib.sha256(body).digest()[:_CHECK]
