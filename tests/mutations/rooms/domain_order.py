"""Mutants of ``domain/order/``."""

from __future__ import annotations

from tests.mutations.mutant import Mutant, simulation, tests

MUTANTS = (
    Mutant(
        name="outcome recorded without an intent",
        breaks="An outcome names the intent that it answers, and is refused without one.",
        file="domain/order/deciding.py",
        old="        raise NotAsked(type(fact).__name__, fact.answers)\n",
        new="        return (fact,)\n",
        caught_by=tests("domain/order/test_paying.py::test_a_report_that_answers_no_intent_is_refused"),
    ),
    Mutant(
        name="answer to an older intent accepted",
        breaks="Only an answer to the intent that a wait names settles it.",
        file="domain/order/questions.py",
        old="for offer in order.delivery.offers if offer.intent == intent_version), None)\n",
        new="for offer in order.delivery.offers), None)\n",
        caught_by=tests("domain/order/test_delivering.py::test_each_offer_is_answered_by_the_reports_on_that_offer"),
    ),
    Mutant(
        name="answer of an earlier courier applied to the current offer",
        breaks="An answer applies to the intent that it names.",
        file="domain/order/delivery.py",
        old="            return _moved(delivery, event.answers, OfferState.ASSIGNED, event.courier)\n",
        new="            return _moved(delivery, delivery.offers[-1].intent, OfferState.ASSIGNED, event.courier)\n",
        caught_by=tests("domain/order/test_delivering.py::test_a_courier_who_accepts_a_withdrawn_offer_is_held_again"),
    ),
    Mutant(
        name="fact refused on an ended order",
        breaks="Facts are never refused: what a provider did is recorded on an ended order too.",
        file="domain/order/deciding.py",
        old="    if isinstance(fact, ItemUnavailable) and not 1 <=",
        new="    if order.run_state is RunState.ENDED:\n"
        "        raise OrderAlreadyEnded(order.order_id)\n"
        "    if isinstance(fact, ItemUnavailable) and not 1 <=",
        caught_by=tests(
            "domain/order/test_cancelling.py::test_a_courier_who_accepts_after_the_order_was_cancelled_reopens_it"
        ),
    ),
    Mutant(
        name="ended order not reopened when it holds something again",
        breaks="A fact after which an ended order holds something starts a new run in the same commit.",
        file="domain/order/consequences.py",
        old="    holds_again = order.run_state is RunState.ENDED and bool(owed(order))\n",
        new="    holds_again = False\n",
        caught_by=tests(
            "domain/order/test_cancelling.py::test_a_courier_who_accepts_after_the_order_was_cancelled_reopens_it"
        ),
    ),
    Mutant(
        name="run not checked in a decision",
        breaks="A run that was superseded makes no decisions, however late its command arrives.",
        file="domain/order/deciding.py",
        old="    if run < order.run:\n",
        new="    if False:\n",
        caught_by=tests("domain/order/test_incidents.py::test_a_superseded_run_can_decide_nothing"),
    ),
    Mutant(
        name="outcome of an older run refused",
        breaks="The outcome of a call by an older run is still recorded.",
        file="domain/order/deciding.py",
        old="    if fact_key(fact) in order.facts and not _gives_back(fact, order):\n",
        new="    if order.run > 1:\n"
        "        raise RunSuperseded(order.order_id, 1, order.run)\n"
        "    if fact_key(fact) in order.facts and not _gives_back(fact, order):\n",
        caught_by=tests("domain/order/test_incidents.py::test_outcomes_of_a_superseded_run_are_recorded"),
    ),
    Mutant(
        name="order cancelled while something is owed",
        breaks="OrderCancelled is decided only when nothing is held or open.",
        file="domain/order/consequences.py",
        old="    if ended or owed(order) or order.contest:\n",
        new="    if ended or order.contest:\n",
        caught_by=tests(
            "domain/order/test_cancelling.py::test_cancelling_recalls_an_unanswered_ticket_and_does_not_send_it_again"
        ),
    ),
    Mutant(
        name="couriers not counted among what is still held",
        breaks="An order holds money, tickets and couriers until each is settled.",
        file="domain/order/intents.py",
        old="        *_owed_couriers(order),\n",
        new="",
        caught_by=tests(
            "domain/order/test_cancelling.py::test_cancelling_releases_the_money_the_ticket_and_the_courier"
        ),
    ),
    Mutant(
        name="more refunded than is owed",
        breaks="A refund is never more than what was taken and is not due.",
        file="domain/order/consequences.py",
        old="amount=min(excess_taken(order), left))\n",
        new="amount=left)\n",
        caught_by=tests("domain/order/test_paying.py::test_an_item_reported_unavailable_after_the_capture_is_refunded"),
    ),
    Mutant(
        name="undo of an authorisation in doubt",
        breaks="An authorisation in doubt is first settled by the same call under the same key, and then undone.",
        file="domain/order/consequences.py",
        old="            if authorization is None or item.in_doubt:\n",
        new="            if authorization is None:\n",
        caught_by=tests(
            "domain/order/test_cancelling.py::test_cancelling_while_the_authorization_is_in_doubt_settles_it_before_the_order_ends"
        ),
    ),
    Mutant(
        name="timeout recorded although the answer is in the log",
        breaks="A timeout records nothing if the log already holds the answer.",
        file="domain/order/deciding.py",
        old=" or answer(order, command.awaited, command.intent_version) is not Answer.NONE:\n",
        new=":\n",
        caught_by=tests("domain/order/test_preparing.py::test_a_timeout_after_the_answer_adds_nothing"),
    ),
    Mutant(
        name="cancelled after pickup",
        breaks="Pickup is the pivot: after it, an order is refunded, not cancelled.",
        file="domain/order/deciding.py",
        old="    if order.delivery.picked_up or is_delivery_claimed(order):\n        raise OrderAlreadyPickedUp",
        new="    if False:\n        raise OrderAlreadyPickedUp",
        caught_by=tests("domain/order/test_cancelling.py::test_after_pickup_no_role_can_cancel"),
    ),
    Mutant(
        name="contradicting report obeyed",
        breaks="From the pickup on a contradicting report is recorded and has no effect.",
        file="domain/order/reports.py",
        old="    if kind is not None:\n        return order.reports.get(kind, 0)\n",
        new="    if kind is not None and kind is not OrderDelivered:\n        return order.reports.get(kind, 0)\n",
        caught_by=tests("domain/order/test_contradicting_reports.py"),
    ),
    Mutant(
        name="report on behalf moves any amount",
        breaks="Support and services may not change the money of an order above the limit alone.",
        file="domain/order/adjustments.py",
        old="    if _one_is_enough(request.amount, limit, order):\n",
        new="    if _one_is_enough(request.amount, limit, order) or request.wish is Adjustment.DELIVERY_FAILED:\n",
        caught_by=tests("domain/order/test_second_person.py"),
    ),
    Mutant(
        name="failure on behalf of a courier not counted towards the limit",
        breaks="What was conceded on the order before counts, whichever way it went.",
        file="domain/order/evolving.py",
        old="    DeliveryFailed: _by_hand(_delivery),\n",
        new="",
        caught_by=tests("domain/order/test_second_person.py"),
    ),
    Mutant(
        name="confirmed report not counted towards the limit",
        breaks="Confirming a report concedes what the report concedes.",
        file="domain/order/evolving.py",
        old="    ReportConfirmed: _by_hand(_confirmed),\n",
        new="    ReportConfirmed: _confirmed,\n",
        caught_by=tests("domain/order/test_second_person.py"),
    ),
    Mutant(
        name="abandoned price not counted towards the limit",
        breaks="An abandoned order counts with the price that is not paid any more.",
        file="domain/order/evolving.py",
        old="    OrderAbandoned: _by_hand(_abandoned),\n",
        new="    OrderAbandoned: _abandoned,\n",
        caught_by=tests("domain/order/test_second_person.py"),
    ),
    Mutant(
        name="approved report marked as contested at the wrong version",
        breaks="A contested report stands directly after its mark, also in the commit of an approval.",
        file="domain/order/adjustments.py",
        old="*_effect(now, evolve(order, approval)))",
        new="*_effect(now, order))",
        caught_by=tests("domain/order/test_second_person.py"),
    ),
    Mutant(
        name="failure after an early delivery obeyed",
        breaks="A report that contradicts a delivery without a pickup waits for a person: the meal may be gone.",
        file="domain/order/reports.py",
        old="    return _contradicted_claim(fact, order)\n",
        new="    return None\n",
        caught_by=tests("domain/order/test_contradicting_reports.py"),
    ),
    Mutant(
        name="failure after an early delivery obeyed, in simulated worlds",
        breaks="No failure takes effect by itself once a delivery was reported for its offer.",
        file="domain/order/reports.py",
        old="    return _contradicted_claim(fact, order)\n",
        new="    return None\n",
        caught_by=tests(
            "simulation/test_faults.py::test_contradicting_reports_of_the_worlds_park_orders_and_are_decided_both_ways"
        ),
    ),
    Mutant(
        name="early delivery settled while a person has to decide about it",
        breaks="An early delivery waits for a person while a later report contradicts it.",
        file="domain/order/consequences.py",
        old="    denied = order.contradicts if order.contest else 0\n",
        new="    denied = 0\n",
        caught_by=tests("domain/order/test_contradicting_reports.py"),
    ),
    Mutant(
        name="decline of one courier taken for a decline of all",
        breaks="A decline counts for the courier who declines.",
        file="domain/order/delivery.py",
        old="    if offer is None or event.courier is None or offer.courier == event.courier:\n",
        new="    if True:\n",
        caught_by=tests("domain/order/test_delivering.py::test_one_courier_cannot_decline_an_open_offer_for_all"),
    ),
    Mutant(
        name="failure after a delivery refunds it, in simulated worlds",
        breaks="From the pickup on a contradicting report has no effect until a person confirms it.",
        file="domain/order/evolving.py",
        old="    if version == order.contest:\n"
        "        return _without_effect(order, event, version)\n"
        "    changes = _remembered(order, event, version)\n"
        '    changes["delivery"]',
        new='    changes = _remembered(order, event, version)\n    changes["delivery"]',
        caught_by=simulation(0, 20),
    ),
    Mutant(
        name="decline of one courier ends an open offer, in simulated worlds",
        breaks="The next offer is made only if time, or the couriers concerned, ended the one before.",
        file="domain/order/delivery.py",
        old="        return bool(self.made_to) and self.made_to <= self.declined_by\n",
        new="        return self.made_to <= self.declined_by\n",
        caught_by=simulation(0, 20),
    ),
    Mutant(
        name="forward intent while cancelling",
        breaks="After cancelling has begun, no forward intent is opened.",
        file="domain/order/consequences.py",
        old="    if order.cancellation is not None:\n        return None\n    return _forward(order)",
        new="    if order.cancellation is not None:\n"
        "        return _courier(order) if order.delivery.offers else None\n"
        "    return _forward(order)",
        caught_by=tests("domain/order/test_cancelling.py::test_a_decline_during_a_cancellation_makes_no_further_offer"),
    ),
    Mutant(
        name="ticket sent again while the order is being cancelled",
        breaks="A request without an answer is not sent again after cancelling has begun.",
        file="domain/order/intents.py",
        old="    if order.cancellation is None:\n        versions |= _unanswered(order)\n",
        new="    versions |= _unanswered(order)\n",
        caught_by=tests(
            "domain/order/test_cancelling.py::test_cancelling_recalls_an_unanswered_ticket_and_does_not_send_it_again"
        ),
    ),
    Mutant(
        name="cancellation does not end forward waits",
        breaks="A cancellation ends every wait of a forward step.",
        file="domain/order/questions.py",
        old="    if order.cancellation is not None or order.given_up or contested:\n",
        new="    if order.given_up or contested:\n",
        caught_by=tests("domain/order/test_cancelling.py::test_a_cancellation_answers_every_wait"),
    ),
    Mutant(
        name="payment method stored unencrypted",
        breaks="Personal fields are stored encrypted, and payment methods are personal.",
        file="domain/order/events.py",
        old="    tip: Money\n    payment_method: str | Erased\n",
        new="    tip: Money\n    payment_method: str\n",
        caught_by=tests("event_store/test_codec.py::test_the_domain_declares_its_personal_fields"),
    ),
    Mutant(
        name="rest of the fees left out of the ledger",
        breaks="Every part of the price is payable or revenue, so that each transaction adds up to zero.",
        file="domain/order/ledger.py",
        old="    yield LedgerAccount.PLATFORM_FEES, None, -placed.service_fee.minor\n",
        new="",
        caught_by=tests("domain/order/test_ledger.py::test_every_transaction_adds_up_to_zero_in_one_currency"),
    ),
    Mutant(
        name="hold kept on the books after it ended",
        breaks="An order that ended leaves nothing on holds.",
        file="domain/order/ledger.py",
        old="authorization.state is not Hold.HELD else",
        new="not authorization.authorization_id else",
        caught_by=tests("domain/order/test_ledger.py::test_an_ended_order_leaves_nothing_on_hold"),
    ),
    Mutant(
        name="ledger skips an event that changes the sale",
        breaks="A transaction is the change by one event; an event is skipped only if no balance can depend on it.",
        file="domain/order/ledger.py",
        old="    if after.delivery is not before.delivery and after.delivery.delivered:\n        return True\n",
        new="",
        caught_by=tests(
            "domain/order/test_ledger.py::test_an_order_that_is_delivered_and_paid_books_a_hold_a_sale_and_a_capture"
        ),
    ),
    Mutant(
        name="tax rounded down",
        breaks="The tax of a part is rounded once, half up.",
        file="domain/order/tax.py",
        old="(2 * gross.minor * rate_bp + whole) // (2 * whole)",
        new="(gross.minor * rate_bp) // whole",
        caught_by=tests("domain/order/test_ledger.py::test_the_tax_in_an_amount_is_rounded_half_up"),
    ),
    Mutant(
        name="taxes without the credit",
        breaks="A credit lowers the taxed parts in proportion, so that they add up to what the customer pays.",
        file="domain/order/tax.py",
        old="shares = order.total.allocate(",
        new="shares = Money(sum(gross.values()), order.currency).allocate(",
        caught_by=tests("domain/order/test_ledger.py::test_the_taxed_parts_add_up_to_what_was_sold"),
    ),
    Mutant(
        name="credit above what the customer pays",
        breaks="Nothing is given back that was not taken.",
        file="domain/order/adjustments.py",
        old="    if command.amount > payable:\n",
        new="    if command.amount > order.total + order.total:\n",
        caught_by=tests("incidents/test_credits.py"),
    ),
    Mutant(
        name="report passed on without who said so",
        breaks="A report on behalf of a party names who said so and why, for auditors.",
        file="domain/order/deciding.py",
        old="    return (*events, passed_on)\n",
        new="    return events\n",
        caught_by=tests("incidents/test_passing_on.py"),
    ),
    Mutant(
        name="who said so names another event",
        breaks="ReportedOnBehalf names the version of the report, also of one that is contested.",
        file="domain/order/deciding.py",
        old="report=order.version + len(events),",
        new="report=order.version + 1,",
        caught_by=tests("incidents/test_passing_on.py"),
    ),
    Mutant(
        name="rejected request approved afterwards",
        breaks="A rejected request has no effect and cannot be approved any more.",
        file="domain/order/evolving.py",
        old='return {"approvals": pending, "rejected"',
        new='return {"rejected"',
        caught_by=tests("incidents/test_taking_on.py"),
    ),
)
