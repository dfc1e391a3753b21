"""Personal data in events. A field whose type includes ``Erased`` is personal: it is stored encrypted with the
customer's key, and reads as ``Erased()`` once that key was destroyed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Erased:
    """Placeholder for personal data that was erased. No decision may depend on personal data."""

    def __str__(self) -> str:
        return "(erased)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """The person to deliver to. ``email`` is empty if none was given, and in events from before it existed."""

    name: str
    phone: str
    address: str
    note: str = ""
    email: str = ""
