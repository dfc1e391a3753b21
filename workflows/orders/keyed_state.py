"""The state of an order as JSON whose collections are maps, and the RFC 6902 patches between two states.

``GET /orders/{id}`` lists lines, offers, open calls and requests. Here they are maps keyed by the number that names
each, so that a patch says ``/lines/2/quantity`` whatever stands before line 2, and never an index.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from workflows.orders.json_values import JSON

if TYPE_CHECKING:  # importing the client costs a function's cold start
    from workflows.client.order_json import OrderJson
    from workflows.client.timeline_json import PatchOperationJson


def keyed(view: OrderJson) -> dict[str, JSON]:
    """Return the state with maps in place of lists; ``delivery.offer`` is the number of the current offer.

    Args:
        view: Of ``order_view``, also of an order that was not placed.
    """
    state: dict[str, Any] = dict(view)
    if "lines" not in state:
        return state
    delivery = view["delivery"]
    state["lines"] = {str(line["line"]): line for line in view["lines"]}
    state["pending"] = {str(call["version"]): call for call in view["pending"]}
    state["approvals"] = {str(version): {"version": version} for version in view["approvals"]}
    state["delivery"] = {
        **delivery,
        "offer": delivery["offer"] and delivery["offer"]["offer"],
        "offers": {str(offer["offer"]): offer for offer in delivery["offers"]},
    }
    return state


def patch(before: JSON, after: JSON, path: str = "") -> Iterator[PatchOperationJson]:
    """Yield the operations that make one state of the other, as RFC 6902. A list is one value.

    Args:
        path: Where the two are in the document, as an RFC 6901 pointer.
    """
    if not (isinstance(before, dict) and isinstance(after, dict)):
        if before != after:
            yield {"op": "replace", "path": path, "value": after}
        return
    for name in before | after:
        place = f"{path}/{name.replace('~', '~0').replace('/', '~1')}"
        if name not in after:
            yield {"op": "remove", "path": place}
        elif name not in before:
            yield {"op": "add", "path": place, "value": after[name]}
        else:
            yield from patch(before[name], after[name], place)
