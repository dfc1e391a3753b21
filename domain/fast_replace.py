"""A ``replace`` for frozen dataclasses, several times faster than ``dataclasses.replace``: folding calls it per event.

It copies ``__dict__`` as a whole where ``dataclasses.replace`` calls ``__init__`` with every field. So it works for
classes without ``__slots__`` and without ``__post_init__`` only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

__all__ = ["replace"]

T = TypeVar("T")

if TYPE_CHECKING:
    from dataclasses import replace  # mypy checks the fields by name and type
else:

    def replace(value: T, /, **changes: Any) -> T:
        """Copy ``value`` with these fields changed. Raises TypeError for an unknown field."""
        before = value.__dict__
        after = before | changes
        if len(after) != len(before):
            raise TypeError(f"{type(value).__name__} has no field {', '.join(changes.keys() - before.keys())}")
        new = _new(type(value))
        _set(new, "__dict__", after)  # the class itself is frozen
        return new

    _new, _set = object.__new__, object.__setattr__
