"""A JSON value together with its text: history shows the text, limits count its bytes, states read the value."""

from __future__ import annotations

import json
from typing import Any, Final

import msgspec

from workflows.asl.signals import JSON

BYTES_MAX: Final = 262_144  # 256 KiB of UTF-8, the service quota on input and output of a task, state or execution
_encode = msgspec.json.Encoder().encode
_encode_strictly = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


def to_text(value: JSON) -> str:
    """Compact JSON of a value that is JSON."""
    try:
        return _encode(value).decode()
    except (OverflowError, UnicodeError):  # an integer beyond 64 bits, half of a surrogate pair: JSON all the same
        return _encode_strictly(value)


def to_text_strictly(value: object) -> str:
    """Compact JSON of a value that came from Python code.

    Raises:
        TypeError, ValueError, RecursionError: It is not JSON.
    """
    return _encode_strictly(value)


class Payload:
    """One value that moves between states. The text is made once, when it is first needed."""

    __slots__ = ("_text", "value")

    def __init__(self, value: JSON, text: str | None = None) -> None:
        self.value = value
        self._text = text

    @property
    def text(self) -> str:
        """Compact JSON."""
        if self._text is None:
            self._text = to_text(self.value)
        return self._text

    @property
    def too_large(self) -> bool:
        """Whether it is over the quota."""
        return exceeds(self.text)

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, Payload) and self.text == other.text

    __hash__ = None  # type: ignore[assignment]  # compared by content, which nobody needs as a key


def exceeds(text: str) -> bool:
    """Whether the text is over the quota, counted in bytes of UTF-8."""
    if len(text) * 4 <= BYTES_MAX:
        return False
    return (len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))) > BYTES_MAX
