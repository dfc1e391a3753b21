"""The shape of live updates; docs/live.md explains the protocol."""

from __future__ import annotations

from typing import TypedDict

from .order_json import EventJson, OrderJson


class CourierPositionJson(TypedDict):
    """Where the courier was at a time: degrees of WGS 84."""

    courier: str
    latitude: float
    longitude: float
    at: str


class LiveUpdateJson(TypedDict, total=False):
    """One message of a topic: an order and its new events, or where its courier is, or that it is gone.

    ``position`` comes with lists of orders alone. ``ended``: no run moves the order any more. ``gone``: the order left
    the list, or the caller may no longer read it. ``unreadable``: it changed and its log cannot be read.
    """

    topic: str
    position: int
    order_id: str
    version: int
    events: list[EventJson]
    order: OrderJson
    ended: bool
    courier: CourierPositionJson
    gone: bool
    unreadable: bool
