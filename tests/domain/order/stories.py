"""Stories for the tests of the domain: given these commands, when another one comes, then these events follow.

A *line* of a story is a command, or a function that makes one from the order: a report names the intent that it
answers, so the builders below look that up (the latest of its kind unless ``to`` is given; 0 is the first). ``then``
takes whole events, or only their types where the contents do not matter.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, TypeAlias

from domain.identifiers import Actor, CourierId, CustomerId, RestaurantId, Role, Sku, order_id_for
from domain.money import Money
from domain.order.books import Books, books
from domain.order.commands import (
    AbandonOrder,
    AddNote,
    Approve,
    AssignIncident,
    Awaited,
    CancelOrder,
    Command,
    ConfirmReport,
    GrantCredit,
    OnBehalf,
    ParkOrder,
    PlaceOrder,
    RecordFact,
    RecordTimeout,
    RefundExtra,
    RejectApproval,
    StartRun,
    WriteOff,
)
from domain.order.deciding import decide
from domain.order.events import (
    CourierAssigned,
    CourierDeclined,
    CourierOffered,
    CourierReleased,
    CourierReleaseRequested,
    CourierRequested,
    CourierWrittenOff,
    DeliveryFailed,
    Event,
    Fact,
    Fault,
    Intent,
    ItemUnavailable,
    Line,
    Option,
    OrderDelivered,
    OrderPickedUp,
    PaymentAuthorizationRequested,
    PaymentAuthorized,
    PaymentCaptured,
    PaymentCaptureRefused,
    PaymentCaptureRequested,
    PaymentDeclined,
    PaymentFound,
    PaymentLookupRequested,
    PaymentNotFound,
    PaymentRefunded,
    PaymentRefundRefused,
    PaymentRefundRequested,
    PaymentVoided,
    PaymentVoidRefused,
    PaymentVoidRequested,
    PreparationAccepted,
    PreparationCancellationRequested,
    PreparationCancelled,
    PreparationReady,
    PreparationRejected,
    PreparationRequested,
    PreparationWrittenOff,
)
from domain.order.evolving import evolve
from domain.order.intents import open_intents, owed
from domain.order.order import Order, RunState, Status, initial
from domain.order.questions import awaited_intent
from domain.order.refusals import Rejected
from domain.personal import Contact

NOON = datetime(2025, 6, 1, 12, 0, tzinfo=UTC)
ORDER_ID = order_id_for("app", "first order")
UNKNOWN = initial(ORDER_ID)
CUSTOMER = Actor(Role.CUSTOMER, "cleo")
RESTAURANT = Actor(Role.RESTAURANT, "luigi")
SUPPORT = Actor(Role.SUPPORT, "sam")
SERVICE = Actor(Role.SERVICE, "dispatcher")
SECOND = Actor(Role.SUPPORT, "sue")

StoryLine: TypeAlias = Command | Callable[[Order], Command]
Expected: TypeAlias = Event | type | Callable[[Order], Command]


def eur(amount: str) -> Money:
    return Money.parse(amount, "EUR")


@dataclass(frozen=True, slots=True)
class Story:
    """The history so far. ``added`` are the events of the last command, ``refusal`` the reason if it was refused."""

    events: tuple[Event, ...] = ()
    order: Order = UNKNOWN
    before: Order = UNKNOWN
    added: tuple[Event, ...] = ()
    refusal: Rejected | None = None

    def when(self, line: StoryLine) -> Story:
        """Decide on one more command, which may be refused."""
        try:
            added = decide(command_of(line, self.order), self.order)
        except Rejected as refusal:
            return Story(self.events, self.order, self.order, (), refusal)
        order = self.order
        for event in added:
            order = evolve(order, event)
        return Story((*self.events, *added), order, self.order, added)

    def then(self, *expected: Expected) -> Story:
        """Check that exactly these events followed, in this order."""
        assert self.refusal is None, f"refused: {self.refusal}"
        found = [
            type(event) if isinstance(wanted, type) else event
            for wanted, event in zip(expected, self.added, strict=False)
        ]
        found += [type(event) for event in self.added[len(expected) :]]
        assert found == [_resolved(wanted, self.before) for wanted in expected]
        return self

    def nothing(self) -> Story:
        """Check that the command was accepted and added no event."""
        return self.then()

    def refused(self, refusal: type[Rejected]) -> Story:
        """Check that the command was refused for this reason."""
        assert type(self.refusal) is refusal, f"refusal {self.refusal!r}, events {self.added}"
        return self

    def holding(self, *holdings: str) -> Story:
        """Check what is held, with ``in doubt`` or ``refused`` where it applies, e.g. "ticket in doubt"."""
        notes = {(True, False): " in doubt", (False, True): " refused", (False, False): ""}
        found = [f"{item.holding}{notes[item.in_doubt, item.refused]}" for item in owed(self.order)]
        assert found == list(holdings)
        return self

    def with_open(self, *kinds: type[Intent]) -> Story:
        """Check which intents are open."""
        assert [type(found.intent) for found in open_intents(self.order)] == list(kinds)
        return self

    def being(self, status: Status, run_state: RunState | None = None) -> Story:
        assert self.order.status is status
        assert run_state is None or self.order.run_state is run_state
        return self

    def with_books(self, **lines: str) -> Story:
        """Check that the books balance, these lines have these amounts and all others are zero."""
        found = books(self.order)
        wanted = {line: eur("0") for line in Books.__dataclass_fields__} | {n: eur(a) for n, a in lines.items()}
        assert {line: getattr(found, line) for line in wanted} == wanted
        assert found.balanced
        return self


def given(*lines: StoryLine) -> Story:
    """Make the order that these commands lead to; none of them may be refused."""
    story = Story()
    for line in lines:
        story = story.when(line)
        assert story.refusal is None, f"{line} was refused: {story.refusal}"
    return story


def folded(*events: Event) -> Story:
    """Make the order that these events fold to, whether decisions lead there or not."""
    order = initial(ORDER_ID)
    for event in events:
        order = evolve(order, event)
    return Story(events, order, order)


def command_of(line: StoryLine, order: Order) -> Command:
    return line(order) if callable(line) else line


def _resolved(wanted: Expected, before: Order) -> object:
    if isinstance(wanted, Report):
        command = wanted(before)
        assert isinstance(command, RecordFact)
        return command.fact
    return wanted


# --- people -----------------------------------------------------------------------------------------------------------

PIZZA = Line(
    sku=Sku("pizza"),
    name="Pizza",
    quantity=2,
    unit_price=eur("12.00"),
    options=(Option(name="burrata", price=eur("2.00")),),
)
SALAD = Line(sku=Sku("salad"), name="Salad", quantity=1, unit_price=eur("6.00"))


def place(*lines: Line, **changes: Any) -> PlaceOrder:
    """Order two pizzas with burrata for 28.00 and a salad for 6.00, with 6.00 of fees and tip: 40.00."""
    fields: dict[str, Any] = {
        "order_id": ORDER_ID,
        "customer": CustomerId("cleo"),
        "restaurant": RestaurantId("luigi"),
        "lines": lines or (PIZZA, SALAD),
        "delivery_fee": eur("3.00"),
        "service_fee": eur("1.00"),
        "tip": eur("2.00"),
        "payment_method": "card",
        "contact": Contact(name="Cleo", phone="+39 000", address="Via Roma 1"),
        "at": NOON,
    }
    return PlaceOrder(**fields | changes)


def cancel(by: Actor = CUSTOMER) -> CancelOrder:
    return CancelOrder(by=by, reason="changed my mind")


def credit(amount: str, credit_id: str = "cold", limit: str | None = None) -> GrantCredit:
    return GrantCredit(
        credit_id=credit_id,
        amount=eur(amount),
        fault=Fault.RESTAURANT,
        by=SUPPORT,
        reason="cold meal",
        limit=eur(limit) if limit else None,
    )


def refund_extra(capture_id: str = "cap-x", amount: str = "40.00", limit: str | None = None) -> RefundExtra:
    """Report a capture that is in the provider's books alone."""
    return RefundExtra(
        capture_id=capture_id,
        amount=eur(amount),
        by=SUPPORT,
        reason="charged twice",
        limit=eur(limit) if limit else None,
    )


def abandon(limit: str | None = None) -> AbandonOrder:
    return AbandonOrder(fault=Fault.PLATFORM, by=SUPPORT, reason="a lost cause", limit=eur(limit) if limit else None)


def approve(by: Actor = SECOND) -> StoryLine:
    """Approve the latest pending request or, if there is none, the latest that was approved."""
    return lambda order: Approve(approval=max(order.approvals or order.approved), by=by)


def reject_approval(by: Actor = SECOND) -> StoryLine:
    """Reject the latest pending request or, if there is none, the latest that was rejected."""
    return lambda order: RejectApproval(approval=max(order.approvals or order.rejected), by=by, reason="too much")


def assign_incident(to: str = "sue", by: Actor = SUPPORT) -> AssignIncident:
    return AssignIncident(to=to, by=by)


def passed_on(line: StoryLine, party: Role = Role.COURIER, limit: str | None = None) -> StoryLine:
    """Let support pass a report on: the courier said so by phone."""

    def command(order: Order) -> RecordFact:
        fact = command_of(line, order)
        assert isinstance(fact, RecordFact)
        said = OnBehalf(party=party, said_by="the courier, by phone", reason="the app is down")
        return replace(fact, by=SUPPORT, on_behalf=said, limit=eur(limit) if limit else None)

    return command


def note(text: str = "called the restaurant", note_id: str = "note") -> AddNote:
    return AddNote(note_id=note_id, by=SUPPORT, text=text)


def confirm(limit: str | None = None, by: Actor = SUPPORT) -> StoryLine:
    """Let the latest contested report take effect."""
    return lambda order: ConfirmReport(
        report=max([*order.contested, *order.confirmed]),
        by=by,
        reason="called the customer",
        limit=eur(limit) if limit else None,
    )


def park(*, compensating: bool = False, run: int | None = None, error: str = "Bug", detail: str = "") -> StoryLine:
    return lambda order: ParkOrder(
        run=order.run if run is None else run, error=error, detail=detail, compensating=compensating
    )


def restart() -> StoryLine:
    return lambda order: StartRun(run=order.run + 1, by=SUPPORT, reason="fixed")


def write_off(of: type[Intent], to: int = -1, limit: str | None = None) -> StoryLine:
    return lambda order: WriteOff(
        intent=versions_of(order, of)[to],
        fault=Fault.PLATFORM,
        by=SUPPORT,
        reason="not worth it",
        limit=eur(limit) if limit else None,
    )


def timeout(awaited: Awaited, *, run: int | None = None, asked: int | None = None) -> StoryLine:
    """Let this wait of the order run out; ``asked`` is the version of an older intent, if it was for that one."""

    def command(order: Order) -> Command:
        of = awaited_intent(order, awaited) if asked is None else asked
        assert of is not None
        return RecordTimeout(run=order.run if run is None else run, awaited=awaited, intent_version=of, at=NOON)

    return command


# --- reports --------


def versions_of(order: Order, kind: type[Intent]) -> list[int]:
    """The versions of the intents of this kind, oldest first."""
    return [version for version, intent in order.intents.items() if isinstance(intent, kind)]


@dataclass(frozen=True, slots=True)
class Report:
    """A report in answer to an intent of that kind."""

    kind: type[Intent]
    to: int
    fact: Callable[[int, Any], Fact]

    def __call__(self, order: Order) -> RecordFact:
        version = versions_of(order, self.kind)[self.to]
        return RecordFact(fact=self.fact(version, order.intents[version]))


def with_fact(report: Report, **changes: Any) -> StoryLine:
    """Change contents of a report."""
    return lambda order: RecordFact(fact=replace(report(order).fact, **changes))


def authorized(amount: str | None = None, to: int = -1) -> Report:
    return Report(
        PaymentAuthorizationRequested,
        to,
        lambda v, i: PaymentAuthorized(
            answers=v, authorization_id=f"auth-{v}", amount=eur(amount) if amount else i.amount, at=NOON
        ),
    )


def declined(to: int = -1) -> Report:
    return Report(
        PaymentAuthorizationRequested, to, lambda v, i: PaymentDeclined(answers=v, reason="no funds", at=NOON)
    )


def captured(amount: str | None = None, to: int = -1) -> Report:
    return Report(
        PaymentCaptureRequested,
        to,
        lambda v, i: PaymentCaptured(
            answers=v, capture_id=f"cap-{v}", amount=eur(amount) if amount else i.amount, at=NOON
        ),
    )


def capture_refused(to: int = -1) -> Report:
    return Report(PaymentCaptureRequested, to, lambda v, i: PaymentCaptureRefused(answers=v, reason="expired", at=NOON))


def voided(to: int = -1) -> Report:
    return Report(PaymentVoidRequested, to, lambda v, i: PaymentVoided(answers=v, at=NOON))


def void_refused(to: int = -1) -> Report:
    return Report(PaymentVoidRequested, to, lambda v, i: PaymentVoidRefused(answers=v, reason="no", at=NOON))


def refunded(amount: str | None = None, to: int = -1) -> Report:
    return Report(
        PaymentRefundRequested,
        to,
        lambda v, i: PaymentRefunded(
            answers=v, refund_id=f"ref-{v}", amount=eur(amount) if amount else i.amount, at=NOON
        ),
    )


def refund_refused(to: int = -1) -> Report:
    return Report(PaymentRefundRequested, to, lambda v, i: PaymentRefundRefused(answers=v, reason="closed", at=NOON))


def found(to: int = -1, **changes: Any) -> Report:
    return Report(
        PaymentLookupRequested,
        to,
        lambda v, i: replace(PaymentFound(answers=v, capture_id=i.capture_id, amount=i.amount, at=NOON), **changes),
    )


def not_found(to: int = -1) -> Report:
    return Report(
        PaymentLookupRequested, to, lambda v, i: PaymentNotFound(answers=v, reason="unknown_capture", at=NOON)
    )


def accepted(to: int = -1) -> Report:
    return Report(PreparationRequested, to, lambda v, i: PreparationAccepted(answers=v, ready_at=NOON, at=NOON))


def rejected(to: int = -1) -> Report:
    return Report(PreparationRequested, to, lambda v, i: PreparationRejected(answers=v, reason="closing", at=NOON))


def unavailable(line: int, available: int = 0) -> Report:
    return Report(
        PreparationRequested, -1, lambda v, i: ItemUnavailable(answers=v, line=line, available=available, at=NOON)
    )


def ready(to: int = -1) -> Report:
    return Report(PreparationRequested, to, lambda v, i: PreparationReady(answers=v, at=NOON))


def ticket_cancelled(to: int = -1) -> Report:
    return Report(PreparationCancellationRequested, to, lambda v, i: PreparationCancelled(answers=v, at=NOON))


def ticket_lost(to: int = -1) -> Report:
    return Report(
        PreparationCancellationRequested,
        to,
        lambda v, i: PreparationWrittenOff(answers=v, reason="cooked", at=NOON),
    )


def assigned(courier: str = "ann", to: int = -1) -> Report:
    return Report(CourierRequested, to, lambda v, i: CourierAssigned(answers=v, courier=CourierId(courier), at=NOON))


def offered(*couriers: str, to: int = -1) -> Report:
    made_to = tuple(CourierId(courier) for courier in couriers)
    return Report(CourierRequested, to, lambda v, i: CourierOffered(answers=v, couriers=made_to, at=NOON))


def courier_declined(courier: str | None = None, to: int = -1) -> Report:
    by = None if courier is None else CourierId(courier)
    return Report(CourierRequested, to, lambda v, i: CourierDeclined(answers=v, reason="too far", at=NOON, courier=by))


def picked_up(to: int = -1) -> Report:
    return Report(CourierRequested, to, lambda v, i: OrderPickedUp(answers=v, at=NOON))


def delivered(to: int = -1) -> Report:
    return Report(CourierRequested, to, lambda v, i: OrderDelivered(answers=v, at=NOON))


def failed(to: int = -1, fault: Fault = Fault.COURIER) -> Report:
    return Report(CourierRequested, to, lambda v, i: DeliveryFailed(answers=v, reason="crash", fault=fault, at=NOON))


def released(to: int = -1) -> Report:
    return Report(CourierReleaseRequested, to, lambda v, i: CourierReleased(answers=v, at=NOON))


def courier_lost(to: int = -1) -> Report:
    return Report(CourierReleaseRequested, to, lambda v, i: CourierWrittenOff(answers=v, reason="under way", at=NOON))


def on_behalf(report: Report, by: Actor = SUPPORT, limit: str | None = "10.00") -> StoryLine:
    """The same report, made by support or a service for the restaurant or courier."""
    return lambda order: RecordFact(fact=report(order).fact, by=by, limit=eur(limit) if limit else None)


# --- how far an order is ----------------------------------------------------------------------------------------------

PLACED: tuple[StoryLine, ...] = (place(),)
AUTHORIZED = (*PLACED, authorized())
ACCEPTED = (*AUTHORIZED, accepted())
ASSIGNED = (*ACCEPTED, assigned())
READY = (*ASSIGNED, ready())
PICKED_UP = (*READY, picked_up())
DELIVERED = (*PICKED_UP, delivered())
COMPLETED = (*DELIVERED, captured())
