"""Upcasters: the data of an old schema of an event, made into the data of the next.

Each is a small function from dict to dict. A personal field is decrypted before it gets here and is ``Erased()`` when
its key is gone, so an upcaster passes it on or leaves it alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Data = dict[str, Any]
Upcaster = Callable[[Data], Data]
Upcasters = Mapping[tuple[str, int], Upcaster]

UPCASTERS: Upcasters = {}
"""By event type and the schema it reads; what it returns is the next schema. None yet: every schema is the first."""


class UpcastersIncomplete(Exception):
    """An old schema could not be read, or an upcaster leads nowhere. Found when the code is loaded."""


def check_upcasters(upcasters: Upcasters, current: Mapping[str, int]) -> None:
    """Every schema below an event's current one has its upcaster, and there are no others."""
    needed = {(name, schema) for name, newest in current.items() for schema in range(1, newest)}
    missing = sorted(needed - upcasters.keys())
    surplus = sorted(upcasters.keys() - needed)
    if missing:
        raise UpcastersIncomplete(f"no upcaster reads {_listed(missing)}")
    if surplus:
        raise UpcastersIncomplete(f"an upcaster reads {_listed(surplus)}, which is current, or no event at all")


def upcast(data: Data, name: str, schema: int, newest: int, upcasters: Upcasters) -> Data:
    """Data of ``schema`` as data of ``newest``."""
    for step in range(schema, newest):
        data = upcasters[name, step](data)
    return data


def _listed(keys: list[tuple[str, int]]) -> str:
    return ", ".join(f"{name} schema {schema}" for name, schema in keys)
