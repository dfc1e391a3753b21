"""Compact JSON text, as Step Functions writes it into histories and payloads."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:  # the answers of the API are encoded here too, and their functions import no state machines
    from workflows.asl.signals import JSON

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode
_encode_strictly = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


def to_text(value: JSON) -> str:
    """Encode a value that is known to be JSON."""
    try:
        return _encode(value).decode()
    except (OverflowError, UnicodeError):  # integers beyond 64 bits and lone surrogates, which JSON allows
        return _encode_strictly(value)


def from_text(text: str) -> JSON:
    """Decode JSON text. Raises ValueError."""
    try:
        return _decode(text)  # type: ignore[no-any-return]  # it decodes JSON values
    except (msgspec.DecodeError, UnicodeError):  # lone surrogates, and numbers that are no finite float
        return json.loads(text)  # type: ignore[no-any-return]  # likewise


def to_text_strictly(value: object) -> str:
    """Encode a value that came from Python code.

    Raises:
        TypeError, ValueError, RecursionError: The value is not JSON.
    """
    return _encode_strictly(value)
