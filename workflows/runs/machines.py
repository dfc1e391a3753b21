"""The machines: their names in the API, their ARNs, and the names of their executions.

The execution of run 2 is ``ord_...-2``. If it began with the order machine's earlier definition, its children are
``ord_...-2-preparation-0`` and ``ord_...-2-delivery-0``, where the last number counts how often the parent started them
again. So the name of an execution names its machine.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import TypeAlias

from domain.identifiers import ORDER_ID, OrderId
from workflows.settings import Reader


class MachineName(StrEnum):
    """A machine, by its name in the API."""

    ORDER = "order"
    PAYMENT = "payment"
    PREPARATION = "preparation"
    DELIVERY = "delivery"


Machines: TypeAlias = Mapping[MachineName, str]
"""The ARN of each machine."""


def read_machines(reader: Reader) -> Machines:
    """Read the ARNs, e.g. ``ORDER_MACHINE``."""
    return {name: reader.text(f"{name.name}_MACHINE") for name in MachineName}


EXECUTION_NAME = rf"({ORDER_ID})-[1-9][0-9]{{0,8}}(-(preparation|delivery)-[0-9]{{1,2}})?"
_NAME = re.compile(EXECUTION_NAME)


def execution_name(order_id: OrderId, run: int) -> str:
    """Return the name of the execution of a run."""
    return f"{order_id}-{run}"


def order_of(execution: str) -> OrderId | None:
    """Return the order of an execution; None if the name is not one of an order's executions."""
    match = _NAME.fullmatch(execution)
    return None if match is None else OrderId(match[1])


def machine_of(execution: str) -> MachineName:
    """Return the machine of an execution whose name ``order_of`` accepts."""
    match = _NAME.fullmatch(execution)
    return MachineName(match[3]) if match is not None and match[3] else MachineName.ORDER
