"""What is kept about a customer, and erasures, in JSON: the shapes that the API answers with, written once."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias, TypedDict

from msgspec import Meta

from .order_json import ActorJson, ContactJson, MoneyJson, OrderIdText, OrderStatus, TimeText, VersionNumber
from .search_json import ListedReadJson
from .webhook_json import WebhookDeliveryJson

ErasurePhaseText: TypeAlias = Literal["kept", "proposed", "destroying", "cleaning", "erased"]
KeyId: TypeAlias = Annotated[str, Meta(description="The id of a data key. It reveals nothing about the customer.")]


class CustomerFieldJson(TypedDict):
    """A personal field of an event of an order."""

    version: Annotated[VersionNumber, Meta(description="The version of the event in the order's history.")]
    event: str
    field: str
    value: Annotated[ContactJson | str, Meta(description="`(withheld)` for auditors.")]


class CustomerOrderJson(TypedDict):
    """An order of a customer, with all of its personal fields."""

    id: OrderIdText
    restaurant: str
    status: OrderStatus
    placed_at: TimeText
    total: MoneyJson
    receipts: Annotated[list[VersionNumber], Meta(description="The versions that a receipt is kept for.")]
    courier_position: Annotated[bool, Meta(description="Whether the last position of its courier is kept.")]
    fields: list[CustomerFieldJson]


class ErasureReceiptJson(TypedDict):
    """The record of an erasure that has ended."""

    key_id: KeyId
    reason: str
    proposed_by: ActorJson
    approved_by: ActorJson
    approval_reason: str
    approved_at: TimeText
    destroyed_at: TimeText
    orders: Annotated[int, Meta(ge=0, description="Orders that had fields under the key.")]
    fields: Annotated[int, Meta(ge=0, description="Fields that are unreadable since.")]
    deliveries: Annotated[int, Meta(ge=0, description="Webhook deliveries that were deleted.")]
    erased_at: TimeText


class CustomerDataJson(TypedDict):
    """What is kept about a customer. Deliveries and reads are on the first page only."""

    customer: str
    state: ErasurePhaseText
    key_id: KeyId | None
    orders: Annotated[list[CustomerOrderJson], Meta(description="The oldest first.")]
    next: Annotated[str | None, Meta(description="The cursor of the next page of orders; null on the last page.")]
    deliveries: Annotated[list[WebhookDeliveryJson], Meta(description="Of events of these orders, sent or not.")]
    reads: Annotated[list[ListedReadJson], Meta(description="The last 100 recorded reads, the newest first.")]
    erasures: list[ErasureReceiptJson]


class ProposedErasureJson(TypedDict):
    """The proposal that waits for a second person, or that led to the erasure."""

    by: ActorJson
    reason: str
    at: TimeText


class ApprovedErasureJson(TypedDict):
    """The approval, and when the key was destroyed."""

    by: ActorJson
    reason: Annotated[str, Meta(description="Empty in approvals from before reasons were recorded.")]
    at: TimeText
    destroyed_at: TimeText | None


class OpenOrderJson(TypedDict):
    """An order that must end before its customer can be erased."""

    order_id: OrderIdText
    waits_for: Annotated[str, Meta(description='Completes "It waits for".')]


class StaysJson(TypedDict):
    """Something that an erasure leaves."""

    what: str
    why: str


class ErasureJson(TypedDict):
    """How far the erasure of a customer is, what it would do or did, and what it leaves."""

    customer: str
    state: Annotated[
        ErasurePhaseText,
        Meta(
            description="`proposed`: it waits for a second person. `destroying`, `cleaning`: it goes on by itself. "
            "`erased`: the last of `receipts` is its record."
        ),
    ]
    key_id: Annotated[KeyId | None, Meta(description="The key that would be destroyed; null if there is none.")]
    proposed: ProposedErasureJson | None
    approved: ApprovedErasureJson | None
    orders: Annotated[int, Meta(ge=0)]
    fields: Annotated[int, Meta(ge=0, description="Fields that can be read now, and could not be any more.")]
    deliveries: Annotated[int, Meta(ge=0, description="Webhook deliveries that are kept.")]
    pending: Annotated[int, Meta(ge=0, description="Those of them that their receivers have not got yet.")]
    open_orders: list[OpenOrderJson]
    goes: list[str]
    stays: list[StaysJson]
    receipts: Annotated[list[ErasureReceiptJson], Meta(description="The oldest first.")]


class ListedErasureJson(TypedDict):
    """An erasure that was proposed and has not ended."""

    customer: str
    state: ErasurePhaseText
    proposed: ProposedErasureJson | None
    approved: ApprovedErasureJson | None


class ListedErasuresJson(TypedDict):
    """The erasures that wait for a second person or go on."""

    erasures: list[ListedErasureJson]
