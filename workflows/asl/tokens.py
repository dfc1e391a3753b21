"""Task tokens, with which an outside party settles a task.

A token holds the ARN of its execution, so that an answer can be routed without an index, and 24 bytes derived from the
seed of its signal, so that it cannot be guessed. It holds nothing else.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import Any, Final

_SECRET: Final = 24  # bytes
_CHECK: Final = 4  # bytes of checksum, to distinguish a damaged token from a closed one
_VERSION: Final = b"\x01"


class InvalidToken(ValueError):
    """The text is not a task token. SendTaskSuccess answers InvalidToken."""

    def __init__(self) -> None:
        super().__init__("Invalid Token: this is not a task token")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), ()


def make_token(execution_arn: str, secret: bytes) -> str:
    """Make the token of one task. ``secret`` has at least 24 unguessable bytes."""
    body = _VERSION + secret[:_SECRET] + execution_arn.encode()
    return base64.urlsafe_b64encode(body + _check(body)).decode().rstrip("=")


def token_execution(token: str) -> str:
    """Read the ARN of the token's execution. The token need not be open.

    Raises:
        InvalidToken: The text is damaged, or never was a token.
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
