"""A simulated world for orders: a payment provider, a kitchen, couriers, people and runs, moved step by step.

A *play* is an order to place and a list of numbers. Each number picks one of the moves that are possible then, so every
generated history is reachable and Hypothesis can shorten it. A report arrives at once, or is put in the mail and
arrives later, in any order, or twice. In a *contradictory* world there are reports that a sound party would not make:
other amounts, two couriers with one meal, a refusal after a success.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, NamedTuple, TypeAlias, get_args

from hypothesis import strategies as st

from domain.identifiers import Actor, CourierId, Role
from domain.money import Money
from domain.order import events as e
from domain.order.books import shortage
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
)
from domain.order.commands import WriteOff as WriteOffCommand
from domain.order.deciding import decide
from domain.order.delivery import OfferState
from domain.order.evolving import evolve, fact_key
from domain.order.intents import open_intents, owed
from domain.order.order import Order, RunState
from domain.order.preparation import TicketState
from domain.order.questions import awaited_intent
from domain.order.refusals import Rejected
from tests.domain.order.placings import placing
from tests.domain.order.stories import NOON, SECOND, SERVICE, SUPPORT, UNKNOWN

PARTIES = (*get_args(e.PreparationFact), *get_args(e.DeliveryFact))
"""Facts that restaurants and couriers report, or support and services on behalf of them."""

STEPS_MAX = 150
"""Moves within which ``end_well`` ends any order; the longest seen needed 60."""

Moves: TypeAlias = list[tuple[int, int]]
Move: TypeAlias = Callable[[int], Command | None]


class Play(NamedTuple):
    """So many moves of a smooth order, and then moves of any kind; and the number of the order that is placed."""

    ahead: int
    moves: Moves
    number: int = 0

    @property
    def placed(self) -> PlaceOrder:
        return placing(self.number)


@dataclass(frozen=True, slots=True)
class Sent:
    """One command and its result."""

    command: Command
    before: Order
    events: tuple[e.Event, ...]
    after: Order
    refusal: Rejected | None


@dataclass(slots=True)
class World:
    """``results`` has the outcome of every performed intent by version: the same call gets the same outcome."""

    contradictory: bool = False
    order: Order = UNKNOWN
    events: list[e.Event] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    mail: list[e.Fact] = field(default_factory=list)
    reported: list[e.Fact] = field(default_factory=list)
    results: dict[int, e.Fact] = field(default_factory=dict)
    held: Money | None = None  # what the provider holds now
    remaining: dict[str, Money] = field(default_factory=dict)  # what of each capture was not given back
    extras: dict[str, Money] = field(default_factory=dict)  # what the provider took without the order
    kitchen: str = "idle"  # then requested, accepted, ready, rejected, off
    couriers: dict[int, str] = field(default_factory=dict)  # by offer: requested, assigned, declined, ...
    meal: str = "in the kitchen"  # then on its way, gone

    # --- commands ---------------------------------------------------------------------------------------------------

    def send(self, command: Command) -> Sent:
        before, refusal = self.order, None
        added: tuple[e.Event, ...] = ()
        try:
            added = decide(command, before)
        except Rejected as no:
            refusal = no
        for event in added:
            self.order = evolve(self.order, event)
        self.events.extend(added)
        if isinstance(command, RecordFact) and refusal is None:
            self.reported.append(command.fact)
        self.sent.append(Sent(command, before, added, self.order, refusal))
        return self.sent[-1]

    def play(self, moves: Moves) -> World:
        for pick, parameter in moves:
            allowed = list(self.moves())
            command = allowed[pick % len(allowed)](parameter)
            if command is not None:
                self.send(command)
        return self

    def moves(self) -> Iterator[Move]:
        """Yield every kind of move that is possible now, the likelier ones several times."""
        yield from [self._step] * 4
        yield from self._outside()
        yield from [self._deliver_mail] * (3 if self.mail else 0)
        yield from [self._report_again] * (1 if self.reported else 0)
        yield from (self._time_out, self._time_out, self._cancel, self._park, self._start_run, self._start_run)
        yield from (self._credit, self._write_off, self._write_off, self._abandon, self._note, self._assign)
        yield self._refund_extra
        yield from [self._confirm] * (2 if self.order.contested else 0)
        yield from [self._approve, self._approve, self._reject] * (1 if self.order.approvals else 0)
        yield from [self._contradict] * (6 if self.contradictory else 0)

    # --- what a run does ------------------------------------------------------------------------------------------

    def _step(self, parameter: int) -> Command | None:
        """Perform an open intent. One in four fails permanently, one in four loses its outcome for now."""
        found = open_intents(self.order)
        if not found:
            return None
        fact = self.perform(found[parameter % len(found)].version, good=parameter % 4 != 1)
        return self._report(fact, parameter // 4)

    def _report(self, fact: e.Fact | None, parameter: int) -> Command | None:
        if fact is None:
            return None
        if parameter % 4 == 1:
            self.mail.append(fact)
            return None
        if parameter % 4 == 2 and isinstance(fact, PARTIES):
            said = OnBehalf(party=Role.COURIER, said_by="the courier", reason="") if parameter // 4 % 3 else None
            by = [SUPPORT, SERVICE][parameter // 4 % 2]
            return RecordFact(fact=fact, by=by, on_behalf=said, limit=self._limit(parameter // 8))
        return RecordFact(fact=fact)

    def _time_out(self, parameter: int) -> Command | None:
        awaited = list(Awaited)[parameter % 5]
        version = awaited_intent(self.order, awaited)
        if parameter % 7 == 1:
            version = parameter
        run = self.order.run - (1 if parameter % 11 == 1 else 0)
        return None if version is None else RecordTimeout(run=run, awaited=awaited, intent_version=version, at=NOON)

    def _park(self, parameter: int) -> Command:
        run = self.order.run - (1 if parameter % 5 == 1 else 0)
        return ParkOrder(run=run, error="Bug", detail="", compensating=parameter % 2 == 1)

    # --- people ---------------------------------------------------------------------------------------------------

    def _cancel(self, parameter: int) -> Command:
        return CancelOrder(by=Actor(list(Role)[parameter % len(Role)], "x"), reason="")

    def _start_run(self, parameter: int) -> Command:
        return StartRun(run=self.order.run + (1 if parameter % 8 else parameter // 8 % 4), by=SUPPORT, reason="")

    def _credit(self, parameter: int) -> Command:
        total = self.order.total
        amount = [Money(100, total.currency), total, replace(total, minor=total.minor + 1), Money(1, "USD")]
        credit_id = "abcdef"[parameter // 4 % 6]
        return GrantCredit(
            credit_id=credit_id,
            amount=amount[parameter % 4],
            fault=e.Fault.PLATFORM,
            by=SUPPORT,
            reason="",
            limit=self._limit(parameter // 24),
        )

    def _refund_extra(self, parameter: int) -> Command:
        """Report a capture of the provider's that is not the order's, an own one, or one that does not exist."""
        currency = self.order.currency
        self.extras.setdefault("x-0", Money(700, currency))
        self.remaining.setdefault("x-0", self.extras["x-0"])
        own = [capture.capture_id for capture in self.order.payment.captures if capture.capture_id]
        ids = ["x-0", "x-0", "x-1", *own]
        amount = [Money(700, currency), Money(700, currency), Money(701, currency), Money(0, currency)]
        return RefundExtra(
            capture_id=ids[parameter % len(ids)],
            amount=amount[parameter // 4 % 4],
            by=SUPPORT,
            reason="",
            limit=self._limit(parameter // 16),
        )

    def _write_off(self, parameter: int) -> Command:
        candidates = [item.intent for item in owed(self.order)] + [c.intent for c in self.order.payment.captures]
        intent = candidates[parameter % len(candidates)] if candidates and parameter % 5 else parameter
        limit = self._limit(parameter // 3)
        return WriteOffCommand(intent=intent, fault=e.Fault.PLATFORM, by=SUPPORT, reason="", limit=limit)

    def _abandon(self, parameter: int) -> Command | None:
        """Abandon in one of three moves only, because the end keeps a history short."""
        if parameter % 3:
            return None
        return AbandonOrder(fault=e.Fault.PLATFORM, by=SUPPORT, reason="", limit=self._limit(parameter // 3))

    def _approve(self, parameter: int) -> Command:
        approvals = [*self.order.approvals, parameter % 50]
        by = SUPPORT if parameter % 5 == 1 else SECOND
        return Approve(approval=approvals[parameter // 5 % len(approvals)], by=by)

    def _reject(self, parameter: int) -> Command:
        approvals = [*self.order.approvals, parameter % 50]
        return RejectApproval(approval=approvals[parameter % len(approvals)], by=SUPPORT, reason="")

    def _assign(self, parameter: int) -> Command:
        return AssignIncident(to=["", "sue", "sam"][parameter % 3], by=SUPPORT)

    def _confirm(self, parameter: int) -> Command:
        reports = [*self.order.contested, parameter % 50]
        report = reports[parameter // 4 % len(reports)]
        return ConfirmReport(report=report, by=SUPPORT, reason="", limit=self._limit(parameter))

    def _note(self, parameter: int) -> Command:
        return AddNote(note_id="abcdef"[parameter % 6], by=SUPPORT, text="")

    def _limit(self, parameter: int) -> Money | None:
        """Choose a limit: none, low, high, or in another currency."""
        currency = self.order.currency
        return [None, Money(500, currency), Money(5000, currency), Money(500, "USD")][parameter % 4]

    # --- the outside ----------------------------------------------------------------------------------------------

    def perform(self, version: int, *, good: bool) -> e.Fact | None:
        """Make the call of this intent. Requests to people have no outcome yet."""
        if version not in self.results:
            intent = self.order.intents[version]
            lookup = isinstance(intent, e.PaymentLookupRequested)
            fact = self._look_up(version, intent, good) if lookup else self._perform(version, intent, good)
            if fact is None:
                return None
            self.results[version] = fact
        return self.results[version]

    def _perform(self, version: int, intent: e.Intent, good: bool) -> e.Fact | None:
        match intent:
            case e.PaymentCaptureRequested() | e.PaymentRefundRequested() if self.contradictory:
                return list(facts_about(version, intent, 0))[0 if good else 1]
            case e.PaymentAuthorizationRequested():
                return self._authorize(version, intent, good)
            case e.PaymentCaptureRequested():
                return self._capture(version, intent, good)
            case e.PaymentVoidRequested():
                if self.held is None or not good:
                    return e.PaymentVoidRefused(answers=version, reason="", at=NOON)
                self.held = None
                return e.PaymentVoided(answers=version, at=NOON)
            case e.PaymentRefundRequested():
                return self._refund(version, intent, good)
            case e.PreparationRequested():
                self.kitchen = "requested" if self.kitchen == "idle" else self.kitchen
                return None
            case e.PreparationCancellationRequested():
                if good and self.kitchen not in {"ready", "accepted"}:
                    self.kitchen = "off"
                    return e.PreparationCancelled(answers=version, at=NOON)
                return e.PreparationWrittenOff(answers=version, reason="", at=NOON)
            case e.CourierRequested():
                self.couriers.setdefault(version, "requested")
                return None if good else _of_courier(version, "offered")
            case e.CourierReleaseRequested():
                if good and self.couriers.get(intent.request) not in {"carrying", "done"}:
                    self.couriers[intent.request] = "off"
                    return e.CourierReleased(answers=version, at=NOON)
                return e.CourierWrittenOff(answers=version, reason="", at=NOON)

    def _authorize(self, version: int, intent: e.PaymentAuthorizationRequested, good: bool) -> e.Fact:
        if not good:
            return e.PaymentDeclined(answers=version, reason="", at=NOON)
        self.held = intent.amount
        return e.PaymentAuthorized(answers=version, authorization_id="auth", amount=intent.amount, at=NOON)

    def _capture(self, version: int, intent: e.PaymentCaptureRequested, good: bool) -> e.Fact:
        if self.held is None or not good:
            return e.PaymentCaptureRefused(answers=version, reason="", at=NOON)
        assert intent.amount <= self.held, "more is captured than was authorized"
        self.held = None
        self.remaining[f"cap-{version}"] = intent.amount
        return e.PaymentCaptured(answers=version, capture_id=f"cap-{version}", amount=intent.amount, at=NOON)

    def _refund(self, version: int, intent: e.PaymentRefundRequested, good: bool) -> e.Fact:
        if not good:
            return e.PaymentRefundRefused(answers=version, reason="", at=NOON)
        assert intent.amount <= self.remaining[intent.capture_id], "more is refunded than was captured"
        self.remaining[intent.capture_id] -= intent.amount
        return e.PaymentRefunded(answers=version, refund_id=f"ref-{version}", amount=intent.amount, at=NOON)

    def _look_up(self, version: int, intent: Any, good: bool) -> e.Fact:
        if self.extras.get(intent.capture_id) != intent.amount or not good:
            return e.PaymentNotFound(answers=version, reason="", at=NOON)
        return e.PaymentFound(answers=version, capture_id=intent.capture_id, amount=intent.amount, at=NOON)

    def _outside(self) -> Iterator[Move]:
        """Yield what the kitchen and the couriers can do now."""
        ticket = self.order.ticket
        if ticket is not None and self.kitchen == "requested":
            yield from [partial(self._kitchen, "accepted")] * 3
            yield partial(self._kitchen, "rejected")
        if ticket is not None and self.kitchen == "accepted":
            yield from [partial(self._kitchen, "ready")] * 2
        if ticket is not None and self.kitchen in {"requested", "accepted", "ready"}:
            yield self._unavailable
        for offer, state in self.couriers.items():
            yield from [partial(self._courier, offer, to) for to in self._next_of(state)]

    def _next_of(self, state: str) -> list[str]:
        if state == "assigned":
            here = self.kitchen in {"accepted", "ready"} and self.meal == "in the kitchen"
            return ["declined"] + ["carrying"] * 3 * here
        return {
            "requested": ["assigned", "assigned", "declined", "declined by all"],
            "carrying": ["delivered", "delivered", "failed"],
        }.get(state, [])

    def _kitchen(self, state: str, parameter: int) -> Command | None:
        assert self.order.ticket is not None
        ticket = self.order.ticket.intent
        self.kitchen = state
        facts: dict[str, e.Fact] = {
            "accepted": e.PreparationAccepted(answers=ticket, ready_at=NOON, at=NOON),
            "rejected": e.PreparationRejected(answers=ticket, reason="", at=NOON),
            "ready": e.PreparationReady(answers=ticket, at=NOON),
        }
        return self._report(facts[state], parameter)

    def _unavailable(self, parameter: int) -> Command | None:
        assert self.order.ticket is not None
        line, available = 1 + parameter % len(self.order.lines), parameter // 2 % 3
        fact = e.ItemUnavailable(answers=self.order.ticket.intent, line=line, available=available, at=NOON)
        return self._report(fact, parameter // 6)

    def _courier(self, offer: int, to: str, parameter: int) -> Command | None:
        self.couriers[offer] = "done" if to in {"delivered", "failed"} else to
        self.meal = {"carrying": "on its way", "delivered": "gone", "failed": "gone"}.get(to, self.meal)
        return self._report(_of_courier(offer, to), parameter)

    def _deliver_mail(self, parameter: int) -> Command:
        return RecordFact(fact=self.mail.pop(parameter % len(self.mail)))

    def _report_again(self, parameter: int) -> Command:
        return RecordFact(fact=self.reported[parameter % len(self.reported)])

    def _contradict(self, parameter: int) -> Command:
        """Report any fact about any intent, with amounts that are a little off."""
        versions = list(self.order.intents)
        version = versions[parameter % len(versions)]
        facts = list(facts_about(version, self.order.intents[version], parameter // 7, lines=len(self.order.lines)))
        fact = facts[parameter // 3 % len(facts)]
        if parameter % 4 == 2 and isinstance(fact, PARTIES):
            return RecordFact(fact=fact, by=[SUPPORT, SERVICE][parameter // 4 % 2], limit=self._limit(parameter // 8))
        return RecordFact(fact=fact)

    # --- a smooth course ------------------------------------------------------------------------------------------

    def end_well(self) -> None:
        """Bring the order to its end: calls succeed, mail arrives, people start runs and then write off."""
        for _ in range(STEPS_MAX):
            if self.order.run_state is RunState.ENDED and not self.mail:
                return
            command = self.go_on()
            before = self.order
            sent = self.send(command)
            assert sent.refusal is None, f"{command} is refused: {sent.refusal}"
            assert sent.after != before or isinstance(command, RecordFact), f"{command} leads nowhere"
        raise AssertionError(f"not ended within {STEPS_MAX} steps; status {self.order.status}, owed {owed(self.order)}")

    def go_on(self) -> Command:
        """Choose the next command that leads towards the end."""
        if self.mail:
            return RecordFact(fact=self.mail.pop(0))
        for found in open_intents(self.order):
            fact = self._success(found.version, found.intent)
            if fact is not None:
                return RecordFact(fact=fact)
        if self.order.cancellation is None and not self.order.delivery.delivered and (fact := self._onward()):
            return RecordFact(fact=fact)
        return self._repair()

    def _success(self, version: int, intent: e.Intent) -> e.Fact | None:
        match intent:
            case e.PreparationRequested():
                self.kitchen = "accepted"
                return e.PreparationAccepted(answers=version, ready_at=NOON, at=NOON)
            case e.CourierRequested():
                self.couriers[version] = "assigned"
                return _of_courier(version, "assigned", "well")
            case _ if self.contradictory:
                return next(iter(facts_about(version, intent, 0)))
            case _:
                return self.perform(version, good=True)

    def _onward(self) -> e.Fact | None:
        ticket, offer = self.order.ticket, self.order.delivery.current
        if ticket is not None and ticket.state is TicketState.ACCEPTED:
            self.kitchen = "ready"
            return e.PreparationReady(answers=ticket.intent, at=NOON)
        if ticket is not None and self.order.delivery.picked_up and e.PreparationReady not in self.order.reports:
            return e.PreparationReady(answers=ticket.intent, at=NOON)
        if offer is not None and offer.state is OfferState.ASSIGNED and not self.order.delivery.picked_up:
            self.couriers[offer.intent], self.meal = "carrying", "on its way"
            return _of_courier(offer.intent, "carrying")
        carriers = reversed(self.order.delivery.offers) if self.order.delivery.picked_up else ()
        for carrier in sorted(carriers, key=lambda offer: offer.state is not OfferState.PICKED_UP):
            report = _of_courier(carrier.intent, "delivered")
            if fact_key(report) not in self.order.facts:
                self.couriers[carrier.intent], self.meal = "done", "gone"
                return report
        return None

    def _repair(self) -> Command:
        """Act as support: start a run, and write off what is refused again and again."""
        refused = [item.intent for item in owed(self.order) if item.refused]
        if not refused and shortage(self.order):
            refused = [self.order.payment.captures[-1].intent]
        tried = sum(isinstance(sent.command, StartRun) and sent.refusal is None for sent in self.sent[-8:])
        if refused and tried:
            return WriteOffCommand(intent=refused[0], fault=e.Fault.PLATFORM, by=SUPPORT, reason="")
        return StartRun(run=self.order.run + 1, by=SUPPORT, reason="")


def _of_courier(offer: int, to: str, courier: str = "ann") -> e.Fact:
    facts: dict[str, e.Fact] = {
        "assigned": e.CourierAssigned(answers=offer, courier=CourierId(courier), at=NOON),
        "declined": e.CourierDeclined(answers=offer, reason="", at=NOON, courier=CourierId(courier)),
        "declined by all": e.CourierDeclined(answers=offer, reason="", at=NOON),
        "offered": e.CourierOffered(answers=offer, couriers=(CourierId("ann"), CourierId("b")), at=NOON),
        "carrying": e.OrderPickedUp(answers=offer, at=NOON),
        "delivered": e.OrderDelivered(answers=offer, at=NOON),
        "failed": e.DeliveryFailed(answers=offer, reason="", fault=e.Fault.COURIER, at=NOON),
    }
    return facts[to]


def facts_about(version: int, intent: Any, parameter: int, *, lines: int = 1) -> Iterator[e.Fact]:
    """Yield every fact that answers this intent, the success first; ``parameter`` varies amounts and lines."""
    off = [0, -1, 1, -100][parameter % 4]
    amount = replace(intent.amount, minor=max(intent.amount.minor + off, 1)) if hasattr(intent, "amount") else None
    match intent:
        case e.PaymentAuthorizationRequested():
            assert amount is not None
            yield e.PaymentAuthorized(answers=version, authorization_id="auth", amount=amount, at=NOON)
            yield e.PaymentDeclined(answers=version, reason="", at=NOON)
        case e.PaymentCaptureRequested():
            assert amount is not None
            yield e.PaymentCaptured(answers=version, capture_id=f"cap-{parameter % 2}", amount=amount, at=NOON)
            yield e.PaymentCaptureRefused(answers=version, reason="", at=NOON)
        case e.PaymentVoidRequested():
            yield e.PaymentVoided(answers=version, at=NOON)
            yield e.PaymentVoidRefused(answers=version, reason="", at=NOON)
        case e.PaymentRefundRequested():
            assert amount is not None
            yield e.PaymentRefunded(answers=version, refund_id=f"ref-{version}", amount=amount, at=NOON)
            yield e.PaymentRefundRefused(answers=version, reason="", at=NOON)
        case e.PaymentLookupRequested():
            assert amount is not None
            yield e.PaymentFound(
                answers=version, capture_id=[intent.capture_id, "cap-0"][parameter % 2], amount=amount, at=NOON
            )
            yield e.PaymentNotFound(answers=version, reason="", at=NOON)
        case e.PreparationRequested():
            yield e.PreparationAccepted(answers=version, ready_at=NOON, at=NOON)
            yield e.PreparationRejected(answers=version, reason="", at=NOON)
            line, available = 1 + parameter % lines, parameter % 5 - 2
            yield e.ItemUnavailable(answers=version, line=line, available=available, at=NOON)
            yield e.PreparationReady(answers=version, at=NOON)
        case e.PreparationCancellationRequested():
            yield e.PreparationCancelled(answers=version, at=NOON)
            yield e.PreparationWrittenOff(answers=version, reason="", at=NOON)
        case e.CourierRequested():
            for to in ("assigned", "declined", "carrying", "delivered", "failed", "declined by all", "offered"):
                yield _of_courier(version, to, "abc"[parameter % 3])
        case e.CourierReleaseRequested():
            yield e.CourierReleased(answers=version, at=NOON)
            yield e.CourierWrittenOff(answers=version, reason="", at=NOON)


# --- histories --------------------------------------------------------------------------------------------------------


def plays() -> st.SearchStrategy[Play]:
    """Generate up to 12 moves of a smooth order, and then up to 60 moves of any kind."""
    move = st.tuples(st.integers(0, 2**12), st.integers(0, 2**12))
    some = st.integers(0, 3).flatmap(lambda n: st.lists(move, min_size=15 * n, max_size=15 * (n + 1)))
    return st.builds(Play, st.integers(0, 12), some, st.integers(0, 2**16))


def played(play: Play | tuple[int, Moves], *, contradictory: bool = False) -> World:
    """Run a play; without an order to place it is that of the stories."""
    whole = Play(*play)
    world = World(contradictory=contradictory)
    world.send(whole.placed)
    for _ in range(whole.ahead):
        if world.order.run_state is RunState.RUNNING:
            world.send(world.go_on())
    return world.play(whole.moves)
