"""What is kept about a customer, and erasures, on a terminal."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from workflows.cli.incident_pages import clock
from workflows.cli.terminal import data_console, printable, table

if TYPE_CHECKING:
    from workflows.client.customer_json import (
        CustomerDataJson,
        ErasureJson,
        ErasureReceiptJson,
        ListedErasureJson,
    )
    from workflows.client.order_json import ActorJson


def show_customer_data(kept: CustomerDataJson) -> None:
    """Print each order with its personal fields, then deliveries, reads and erasures."""
    console = data_console()
    key = f", key {kept['key_id']}" if kept["key_id"] else ", no key, so nothing personal can be read"
    state = _STATES.get(kept["state"], kept["state"])
    console.print(Text(f"customer {kept['customer']}: {state}{key}"), soft_wrap=True)
    for order in kept["orders"]:
        total = f"{order['total']['amount']} {order['total']['currency']}"
        placed = f"placed {clock(order['placed_at'])}"
        receipts = f", receipts {', '.join(map(str, order['receipts']))}" if order["receipts"] else ""
        position = ", position of its courier" if order["courier_position"] else ""
        line = f"{order['id']}  {order['status']}, {total} at {order['restaurant']}, {placed}{receipts}{position}"
        console.print(Text(line), soft_wrap=True)
        for field in order["fields"]:
            value = field["value"] if isinstance(field["value"], str) else json.dumps(field["value"])
            line = f"  {field['version']:>3}  {field['event']}.{field['field']}: {printable(value)}"
            console.print(Text(line), soft_wrap=True)
    for delivery in kept["deliveries"]:
        line = f"webhook {delivery['webhook']}: {delivery['type']} {delivery['event']}, {delivery['status']}"
        console.print(Text(line), soft_wrap=True)
    for read in kept["reads"]:
        fields = ", ".join(read["fields"])
        reason = f", because: {printable(read['reason'])}" if read["reason"] else ""
        of = f" of {read['order_id']}" if read["order_id"] else ""
        line = f"read {clock(read['at'])} by {_by(read['actor'])}: {read['route']}{of}, {fields}{reason}"
        console.print(Text(line), soft_wrap=True)
    for receipt in kept["erasures"]:
        console.print(Text(_receipt(receipt)), soft_wrap=True)
    if kept["next"]:
        console.print(Text(f"more orders: --cursor {kept['next']}"))


_STATES = {"kept": "not erased"}
"""The states of an erasure, where the API's word would say more than is known: nothing may be kept at all."""


def show_erasure(erasure: ErasureJson, *, effects: bool = True) -> None:
    """Print how far an erasure is, what it takes and leaves unless ``effects`` is False, and its receipts."""
    console = data_console()
    console.print(Text(f"customer {erasure['customer']}: {_STATES.get(erasure['state'], erasure['state'])}"))
    if (proposed := erasure["proposed"]) is not None:
        line = f"proposed by {_by(proposed['by'])} {clock(proposed['at'])}: {printable(proposed['reason'])}"
        console.print(Text(line), soft_wrap=True)
    if (approved := erasure["approved"]) is not None:
        destroyed = f", key destroyed {clock(approved['destroyed_at'])}" if approved["destroyed_at"] else ""
        why = f": {printable(approved['reason'])}" if approved["reason"] else ""
        line = f"approved by {_by(approved['by'])} {clock(approved['at'])}{destroyed}{why}"
        console.print(Text(line), soft_wrap=True)
    for order in erasure["open_orders"]:
        console.print(Text(f"open: {order['order_id']} waits for {order['waits_for']}"), soft_wrap=True)
    for what in erasure["goes"] if effects else ():
        console.print(Text(f"goes: {what}"), soft_wrap=True)
    for stays in erasure["stays"] if effects and erasure["goes"] else ():
        console.print(Text(f"stays: {stays['what']} {stays['why']}"), soft_wrap=True)
    for receipt in erasure["receipts"]:
        console.print(Text(_receipt(receipt)), soft_wrap=True)


def show_erasures(erasures: Sequence[ListedErasureJson]) -> None:
    """Print one line for each erasure that has not ended."""
    rows = table("customer", "state", "proposed by", "at", "reason")
    for erasure in erasures:
        proposed = erasure["proposed"]
        by = "" if proposed is None else _by(proposed["by"])
        at = "" if proposed is None else clock(proposed["at"])
        rows.add_row(
            erasure["customer"], erasure["state"], by, at, "" if proposed is None else printable(proposed["reason"])
        )
    data_console().print(rows if erasures else "no erasure waits or goes on")


def _receipt(receipt: ErasureReceiptJson) -> str:
    people = f"proposed by {_by(receipt['proposed_by'])}, approved by {_by(receipt['approved_by'])}"
    counts = f"{receipt['fields']} fields of {receipt['orders']} orders, {receipt['deliveries']} deliveries"
    what = f"erased {clock(receipt['erased_at'])}: key {receipt['key_id']}, {counts}"
    reasons = " / ".join(printable(receipt[name]) for name in ("reason", "approval_reason") if receipt[name])
    return f"{what}; {people}: {reasons}"


def _by(actor: ActorJson) -> str:
    return f"{actor['role']} {actor['id']}"
