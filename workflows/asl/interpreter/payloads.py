"""A JSON value together with its text: the history shows the text, quotas count its bytes, states read the value."""

from __future__ import annotations

from typing import Any, Final

from workflows.asl.json_text import to_text
from workflows.asl.signals import JSON

BYTES_MAX: Final = 262_144  # 256 KiB of UTF-8, the service quota on input and output of a task, state or execution


ALL_VARIABLES_BYTES_MAX: Final = 10 * 1024**2  # the service quota on all stored variables of one execution


class Payload:
    """One value that moves between states. The text is made once, when it is first needed."""

    __slots__ = ("_text", "value")

    def __init__(self, value: JSON) -> None:
        self.value = value
        self._text: str | None = None

    @property
    def text(self) -> str:
        """The value as compact JSON."""
        if self._text is None:
            self._text = to_text(self.value)
        return self._text

    @property
    def too_large(self) -> bool:
        """Whether the text is over the service quota of 256 KiB."""
        return exceeds(self.text)

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, Payload) and self.text == other.text

    __hash__ = None  # type: ignore[assignment]  # compared by content and never used as a key


def exceeds(text: str) -> bool:
    """Whether the text is over the service quota, counted in bytes of UTF-8."""
    return len(text) * 4 > BYTES_MAX and size_of(text) > BYTES_MAX


def size_of(text: str) -> int:
    """Return the bytes of a text in UTF-8."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
