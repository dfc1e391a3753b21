"""The money and the holdings of an order, worked out from its raw events alone, to compare with the fold.

Nothing here imports the state or the rules of the domain, so that a mistake there is not repeated here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from domain.order import events as e

Lines = dict[str, int]


def obeyed(events: Iterable[e.Event]) -> list[e.Event]:
    """The events without the contested reports, but for those that were confirmed: they count from then on.

    Every event keeps its version: a contested report reads as the mark before it, a confirmation as the report.
    """
    facts = list(events)
    result = list(facts)
    for version, event in enumerate(facts, start=1):
        if isinstance(event, e.ReportContested) and event.report <= len(facts):
            result[event.report - 1] = event
        if isinstance(event, e.ReportConfirmed):
            result[version - 1] = _as_confirmed(facts[event.report - 1], event)
    return result


def _as_confirmed(fact: e.Event, event: e.ReportConfirmed) -> e.Event:
    by_support = isinstance(fact, e.ItemUnavailable) and event.by.role != "system"
    return replace(fact, by=event.by) if by_support else fact  # type: ignore[type-var]  # an event is a dataclass


def books_of(events: Iterable[e.Event]) -> Lines:
    """The lines of the books, in minor units, under the names that ``domain.order.books.Books`` gives them."""
    facts = obeyed(events)
    captures, refunds = _movements(facts, _CAPTURES), _movements(facts, _REFUNDS)
    extras, to_extras = _extras(facts), _refunds_of_extras(facts, refunds)
    refunds_of_own = {version: refund for version, refund in refunds.items() if version not in to_extras}
    left = [amount - sum(to_extras[v] for v in to_extras if _about(facts, v) == id_) for id_, amount in extras.items()]
    due = _due(facts, captures)
    open_, captured = _sum(captures, "open"), _sum(captures, "done")
    abandoned = sum(event.unreturned.minor for event in facts if isinstance(event, e.OrderAbandoned))
    given_back = _sum(refunds_of_own, *_GIVEN_BACK) + abandoned
    overpaid = max(captured + open_ - due, 0)
    return {
        "captured": captured + sum(extras.values()),
        "still_to_capture": open_ + max(due - captured - open_, 0),
        "due": due,
        "refunded": _sum(refunds, "done"),
        "still_to_refund": _sum(refunds, "open", "refused")
        + max(overpaid - given_back, 0)
        + sum(max(each, 0) for each in left),
        "unreturned": _sum(refunds, "written off") + abandoned,
        "over_refunded": max(given_back - overpaid, 0) + sum(max(-each, 0) for each in left),
    }


_GIVEN_BACK = ("open", "done", "refused", "written off")


def _extras(facts: list[e.Event]) -> dict[str, int]:
    """What the provider took without the order, by its id. A capture of the order's own is not one."""
    found = {event.answers: event for event in facts if isinstance(event, e.PaymentFound)}
    own = {event.answers: event.capture_id for event in facts if isinstance(event, e.PaymentCaptured)}
    newest = {found[lookup].capture_id: found[lookup].amount.minor for lookup in sorted(found)}
    return {capture_id: minor for capture_id, minor in newest.items() if capture_id not in own.values()}


def _refunds_of_extras(facts: list[e.Event], refunds: dict[int, _Movement]) -> dict[int, int]:
    """The amounts of the refunds of extra captures, by version; zero for one that lapsed."""
    extras = _extras(facts)
    return {
        version: amount if state in _GIVEN_BACK else 0
        for version, (state, _, amount) in refunds.items()
        if _about(facts, version) in extras
    }


def _about(facts: list[e.Event], refund: int) -> str:
    intent: Any = facts[refund - 1]
    return str(intent.capture_id)


def price_of(events: Iterable[e.Event]) -> int:
    """The price of the order: available items and fees, less credits."""
    left: dict[int, int] = {}
    each: dict[int, int] = {}
    amount = 0
    for event in obeyed(events):
        match event:
            case e.OrderPlaced():
                for number, line in enumerate(event.lines, start=1):
                    left[number] = line.quantity
                    each[number] = line.unit_price.minor + sum(option.price.minor for option in line.options)
                amount += event.delivery_fee.minor + event.service_fee.minor + event.tip.minor
            case e.ItemUnavailable():
                left[event.line] = min(left[event.line], max(event.available, 0))
            case e.CreditGranted():
                amount -= event.amount.minor
    return max(amount + sum(left[number] * each[number] for number in left), 0)


def paid_and_kept(events: Iterable[e.Event]) -> tuple[int, int]:
    """What the customer pays in the end as things stand, and the part of it that should have been refunded."""
    facts = obeyed(events)
    lines = books_of(events)
    kinds = {type(event) for event in facts}
    still_to_come = not kinds & {e.OrderDelivered, e.CancellationRequested, e.OrderAbandoned}
    due = price_of(facts) if still_to_come else lines["due"]
    return due + lines["unreturned"] - lines["over_refunded"], lines["unreturned"]


def moved(events: Iterable[e.Event], kind: type[e.PaymentCaptured] | type[e.PaymentRefunded]) -> int:
    """What the provider reports to have moved."""
    return sum(event.amount.minor for event in events if isinstance(event, kind))


def extra(facts: Iterable[e.Event]) -> int:
    """What the provider took without the order."""
    return sum(_extras(list(facts)).values())


def held_by(events: Iterable[e.Event]) -> set[tuple[str, int]]:
    """Everything that is or may be held and was not given back: its kind, and the version of the intent that took it.

    For a refund that was requested, or refused in this run, it is the version of the refund's intent.
    """
    facts = obeyed(events)
    captures, refunds = _movements(facts, _CAPTURES), _movements(facts, _REFUNDS)
    in_doubt = {("capture", version) for version, (state, _, _) in captures.items() if state == "open"}
    lookups = _movements(facts, _LOOKUPS)
    looked_up = {("capture", version) for version, (state, _, _) in lookups.items() if state == "open"}
    owed = {("capture", version) for version, (state, _, _) in refunds.items() if state in {"open", "refused"}}
    hold = set() if in_doubt else _held_money(facts)
    return in_doubt | looked_up | owed | hold | _held_tickets(facts) | _held_offers(facts)


_Movement = tuple[str, int, int]
"""State, requested amount, and the amount that counts: what the provider moved, else what was requested."""


_Kinds = tuple[type[Any], type[Any], type[Any]]
_CAPTURES: _Kinds = (e.PaymentCaptureRequested, e.PaymentCaptured, e.PaymentCaptureRefused)
_LOOKUPS: _Kinds = (e.PaymentLookupRequested, e.PaymentFound, e.PaymentNotFound)
_REFUNDS: _Kinds = (e.PaymentRefundRequested, e.PaymentRefunded, e.PaymentRefundRefused)


def _movements(facts: list[e.Event], kinds: _Kinds) -> dict[int, _Movement]:
    requested, done, refused = kinds
    movements: dict[int, _Movement] = {}
    for version, event in enumerate(facts, start=1):
        about: Any = event
        if isinstance(event, requested):
            movements[version] = ("open", about.amount.minor, about.amount.minor)
        elif isinstance(event, done):
            movements[about.answers] = ("done", movements[about.answers][1], about.amount.minor)
        elif isinstance(event, refused) and movements[about.answers][0] == "open":
            movements[about.answers] = ("refused", *movements[about.answers][1:])
        elif isinstance(event, e.RunStarted):
            movements = {v: ("lapsed" if m[0] == "refused" else m[0], *m[1:]) for v, m in movements.items()}
        elif isinstance(event, e.WrittenOff) and event.intent in movements and movements[event.intent][0] != "done":
            movements[event.intent] = ("written off", *movements[event.intent][1:])
    return movements


def _sum(movements: dict[int, _Movement], *states: str) -> int:
    return sum(amount for state, _, amount in movements.values() if state in states)


def _due(facts: list[e.Event], captures: dict[int, _Movement]) -> int:
    kinds = {type(event) for event in facts}
    if e.CancellationRequested in kinds or e.OrderDelivered not in kinds:
        return 0
    price = max(price_of(facts) - _waived(facts, captures), 0)
    return min(price, _sum(captures, "open", "done")) if e.OrderAbandoned in kinds else price


def _waived(facts: list[e.Event], captures: dict[int, _Movement]) -> int:
    """What people wrote off of the captures that were refused or took too little."""
    forgiven = {event.intent for event in facts if isinstance(event, e.WrittenOff)}
    return sum(
        max(requested - (amount if state == "done" else 0), 0)
        for version, (state, requested, amount) in captures.items()
        if version in forgiven
    )


def _held_money(facts: list[e.Event]) -> set[tuple[str, int]]:
    intent, state = 0, "none"
    for version, event in enumerate(facts, start=1):
        match event:
            case e.PaymentAuthorizationRequested():
                intent, state = version, "in doubt"
            case e.PaymentAuthorized():
                state = "held"
            case e.PaymentDeclined() if state == "in doubt":
                state = "none"
            case e.PaymentVoided() if state == "held":
                state = "none"
            case e.PaymentCaptured():
                state = "none"
            case e.WrittenOff(intent=written_off) if written_off == intent:
                state = "none"
    return set() if state == "none" else {("authorization", intent)}


def _held_tickets(facts: list[e.Event]) -> set[tuple[str, int]]:
    """A ticket is held until the restaurant rejects it, cancels it when asked to, or a courier has the meal."""
    intent, state, undo = 0, "none", 0
    for version, event in enumerate(facts, start=1):
        match event:
            case e.PreparationRequested():
                intent, state = version, "held"
            case e.PreparationCancellationRequested():
                undo = version
            case e.OrderPickedUp() | e.OrderDelivered():
                state, undo = "over", 0
            case e.PreparationRejected() if state != "over":
                state, undo = "rejected", 0
            case e.PreparationAccepted() | e.PreparationReady() if state == "rejected":
                state = "held"
            case e.PreparationCancelled(answers=answers) | e.PreparationWrittenOff(answers=answers) if answers == undo:
                state, undo = "over", 0
            case e.WrittenOff(intent=written_off) if written_off == intent:
                state, undo = "over", 0
    return {("ticket", intent)} if state == "held" else set()


def _held_offers(facts: list[e.Event]) -> set[tuple[str, int]]:
    """An offer is held until it is declined by those it was made to, or released, or the delivery has ended."""
    offers = _Offers()
    for version, event in enumerate(facts, start=1):
        offers.answer(version, event)
        offers.end(event)
    return {("offer", offer) for offer in offers.held}


class _Offers:
    """The offers of an order, by version. ``closed`` are those that were picked up or whose delivery has ended."""

    def __init__(self) -> None:
        self.held: set[int] = set()
        self.unanswered: set[int] = set()
        self.closed: set[int] = set()
        self.releases: dict[int, int] = {}
        self.accepted_by: dict[int, object] = {}
        self.made_to: dict[int, set[object]] = {}
        self.declined_by: dict[int, set[object]] = {}

    def answer(self, version: int, event: e.Event) -> None:
        """Apply what happens before a pickup."""
        match event:
            case e.CourierRequested():
                self.held.add(version)
                self.unanswered.add(version)
            case e.CourierReleaseRequested():
                self.releases[event.request] = version
            case e.CourierOffered():
                self.made_to[event.answers] = set(event.couriers)
                self._lapse(event.answers)
            case e.CourierAssigned() if event.answers not in self.closed:
                self.held.add(event.answers)
                self.unanswered.discard(event.answers)
                self.accepted_by[event.answers] = event.courier
            case e.CourierTimedOut() if event.answers not in self.closed:
                self.held.add(event.answers)
                self.unanswered.add(event.answers)
            case e.CourierDeclined():
                self._decline(event)

    def end(self, event: e.Event) -> None:
        """Apply what happens from the pickup on, and what takes an offer back."""
        match event:
            case e.OrderPickedUp() if event.answers not in self.closed:
                self._let_go(event.answers)
                self.held.add(event.answers)
                self.closed.add(event.answers)
            case e.OrderDelivered() | e.DeliveryFailed():
                self._let_go(event.answers)
                self.closed.add(event.answers)
            case e.CourierReleased() | e.CourierWrittenOff():
                for offer in [o for o, release in self.releases.items() if release == event.answers]:
                    self._let_go(offer)
                    self.closed.discard(offer)
            case e.WrittenOff():
                self._let_go(event.intent)
                self.closed.discard(event.intent)

    def _decline(self, event: e.CourierDeclined) -> None:
        if event.courier is not None and event.courier != self.accepted_by.get(event.answers):
            self.declined_by.setdefault(event.answers, set()).add(event.courier)
            self._lapse(event.answers)
        elif event.answers not in self.closed:
            self._let_go(event.answers)

    def _lapse(self, offer: int) -> None:
        couriers = self.made_to.get(offer, set())
        if offer in self.unanswered and couriers and couriers <= self.declined_by.get(offer, set()):
            self._let_go(offer)

    def _let_go(self, offer: int) -> None:
        self.held.discard(offer)
        self.unanswered.discard(offer)
        self.releases.pop(offer, None)
