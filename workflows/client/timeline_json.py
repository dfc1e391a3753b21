"""The timeline of an order in JSON: its events in words, with what each changed and its place in the hash chain."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired, TypedDict

from msgspec import Meta

from .order_json import EventJson, OrderIdText, TimeText, VersionNumber


class PatchOperationJson(TypedDict):
    """One operation of RFC 6902. ``value`` is missing if the operation is ``remove``."""

    op: Literal["add", "remove", "replace"]
    path: Annotated[str, Meta(description="RFC 6901.", examples=["/lines/2/quantity"])]
    value: NotRequired[Any]


class TimelineEventJson(EventJson):
    """An event, what happened in words, what it changed, and its place in the hash chain."""

    schema: Annotated[int, Meta(ge=1, description="The schema that the event was stored in.")]
    commit: Annotated[VersionNumber, Meta(description="The version of the first event in the same commit.")]
    key: Annotated[str, Meta(description="The key of the commit: one key is recorded once.")]
    hash: Annotated[str, Meta(description="SHA-256 of the commit, in hexadecimal.")]
    previous: Annotated[str, Meta(description="The hash of the commit before it; empty for the first.")]
    trace: Annotated[str | None, Meta(description="The W3C trace id; null if the request carried none.")]
    saga: Annotated[
        Literal["order", "payment", "preparation", "delivery"] | None,
        Meta(description="The saga that the event belongs to. Null for an event of a newer release."),
    ]
    words: Annotated[str, Meta(description="One sentence without a full stop.", examples=["Payment authorized"])]
    undoes: Annotated[
        VersionNumber | None,
        Meta(description="The version of the event that this one takes back, wholly or in part."),
    ]
    patch: Annotated[
        list[PatchOperationJson] | None,
        Meta(description="What it changed in the state. Null from an event of a newer release on."),
    ]


class ChainHeadJson(TypedDict):
    """The last commit of the order as it is now."""

    version: VersionNumber
    hash: str


class ChainFindingJson(TypedDict):
    """A stored commit that is not what was written."""

    version: int
    what: str


class VerifiedJson(TypedDict):
    """The check of the stored commits against their hash chain, made for this answer.

    It finds each commit that was edited, removed from the middle, moved or inserted. A chain that was computed again to
    its end, or whose end was cut, is found by comparing it with heads that were published before.
    """

    ok: bool
    events: Annotated[int, Meta(description="Events that were checked: all of the order.")]
    checked_at: TimeText
    findings: list[ChainFindingJson]


class TimelineJson(TypedDict):
    """A page of the timeline, oldest first.

    ``initial`` is the state before the first event of the page; the patches of the events, applied one after the other,
    give the state after each.
    """

    order_id: OrderIdText
    version: Annotated[VersionNumber, Meta(description="The order's version now.")]
    initial: Annotated[
        dict[str, Any],
        Meta(
            description="The order as in `GET /orders/{order_id}`, but `lines`, `pending`, `approvals` and "
            "`delivery.offers` are objects with the numbers as names, and `delivery.offer` is the number of the "
            "current offer. Before the first event it has `id`, `version` and `status` alone. Empty if an event before "
            "this page is of a newer release."
        ),
    ]
    events: list[TimelineEventJson]
    next: Annotated[VersionNumber | None, Meta(description="`from` of the next page; null on the last page.")]
    head: ChainHeadJson
    verified: VerifiedJson
