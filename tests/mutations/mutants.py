"""The mutants. Each one breaks a rule that the correct end of an order depends on."""

from __future__ import annotations

from tests.mutations.mutant import Mutant, simulation, tests

BYTES = "embedded/test_bytes_after_fsync.py"
PROJECTOR = "embedded/test_projector_process.py"
WAITS = "simulation/test_waits_at_every_point.py"
RESTART_LAW = "sagas/test_restart_law.py::test_a_new_run_brings_every_prefix_of_every_history_to_its_right_end"

MUTANTS = (
    Mutant(
        name="nodes of the tree with their children swapped",
        breaks="The tree of heads is that of RFC 6962, which other programs compute too.",
        file="workflows/audit/merkle.py",
        old="node_hash(self._edge.pop(), stored[-1])",
        new="node_hash(stored[-1], self._edge.pop())",
        caught_by=tests("audit/test_merkle.py::test_the_heads_are_those_of_the_reference_implementation"),
    ),
    Mutant(
        name="only the newest published head compared",
        breaks="A commit contradicts every head that was ever published, also if the order was published again since.",
        file="workflows/audit/stream_walk.py",
        old="            self._unconfirmed.setdefault(head.version, set()).add(head.hash)\n",
        new="            self._unconfirmed = {head.version: {head.hash}}\n",
        caught_by=tests(
            "audit/test_tamperings.py::test_each_tampering_is_found_and_named_by_the_checks_that_claim_it"
            "[sqlite-the same, and the order went on and was published again]"
        ),
    ),
    Mutant(
        name="a published checkpoint replaced",
        breaks="A checkpoint is written once: of two processes one publishes it, so history does not fork.",
        file="workflows/embedded/checkpoint_folder.py",
        old="                os.link(new, self._file(number))\n",
        new="                os.replace(new, self._file(number))\n",
        caught_by=tests("audit/test_checkpoints.py::test_a_store_keeps_the_first_file_under_a_number"),
    ),
    Mutant(
        name="a checkpoint of another key continued",
        breaks="A replaced key is never taken for a rotated one.",
        file="workflows/audit/checkpoints.py",
        old="            self._signer.key.check(header.note)\n",
        new="            pass\n",
        caught_by=tests("audit/test_checkpoints.py::test_a_checkpoint_of_another_key_is_not_continued"),
    ),
    Mutant(
        name="a checkpoint forgets what the last one could not publish",
        breaks="A checkpoint begins where the last published one ended, so a failure is made up for.",
        file="workflows/audit/checkpoints.py",
        old='self._changed.since(before.mark if before else "", COMMITS_MAX)',
        new="self._changed.since(str(newest), COMMITS_MAX)",
        caught_by=tests(
            "audit/test_checkpoints.py::test_a_checkpoint_adds_the_streams_that_changed_since_the_one_before"
        ),
    ),
    Mutant(
        name="wait checked before it is registered",
        breaks="A wait is registered before the log is read, because the answer may come in between.",
        file="workflows/sagas/actions.py",
        old="    end_if_answered(engine, wait, order)\n    return {}\n",
        new="    return {}\n",
        caught_by=tests(f"{WAITS}::test_an_answer_ends_the_wait_at_every_point"),
    ),
    Mutant(
        name="check of a wait on a stale read",
        breaks="The check after registering reads the log again and ignores what was read before.",
        file="workflows/sagas/actions.py",
        old="    send_request(order)\n    _, order = load(engine.log, step.order_id)\n",
        new="    send_request(order)\n",
        caught_by=tests(f"{WAITS}::test_an_answer_ends_the_wait_at_every_point"),
    ),
    Mutant(
        name="wait deleted before its task is settled",
        breaks="A wait is deleted only after its task was settled; otherwise a crash in between loses the wait.",
        file="workflows/sagas/waits.py",
        old="        settle(engine.executions, wait.token, order, wait.run, known)\n"
        "        forget(engine.documents, wait)\n",
        new="        forget(engine.documents, wait)\n"
        "        settle(engine.executions, wait.token, order, wait.run, known)\n",
        caught_by=tests(f"{WAITS}::test_a_wait_ends_even_if_the_notifying_process_is_killed"),
    ),
    Mutant(
        name="ticket sent before its intent",
        breaks="Intent before effect: a ticket is sent only after the commit with its intent.",
        file="workflows/sagas/steps/performing.py",
        old="            return authorize_payment(_with_method(",
        new='            send_ticket(PreparationRequested(), order.version + 2, order, engine.kitchen, note="")\n'
        "            return authorize_payment(_with_method(",
        caught_by=simulation(0, 20),
    ),
    Mutant(
        name="money captured without an intent",
        breaks="A step performs open intents and nothing else.",
        file="workflows/sagas/steps/payment.py",
        old="    return PaymentAuthorized(\n",
        new="    payments.capture(\n"
        "        authorization_id=receipt.authorization_id,\n"
        "        amount=receipt.amount,\n"
        '        key=call_key(order, version) + "/capture",\n'
        "        timeout_s=TIMEOUT_S,\n"
        "    )\n"
        "    return PaymentAuthorized(\n",
        caught_by=simulation(0, 20),
    ),
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
        name="authorisation under a key per attempt",
        breaks="The key belongs to the intent, so every attempt is the same call.",
        file="workflows/sagas/steps/payment.py",
        old="        amount=intent.amount,\n"
        "        key=call_key(order, version),\n"
        "        timeout_s=TIMEOUT_S,\n"
        "    )\n"
        "    if isinstance(receipt, Declined):\n",
        new="        amount=intent.amount,\n"
        "        key=f\"{call_key(order, version)}/{__import__('uuid').uuid4()}\",\n"
        "        timeout_s=TIMEOUT_S,\n"
        "    )\n"
        "    if isinstance(receipt, Declined):\n",
        caught_by=simulation(0, 20),
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
        name="compensation without a reason",
        breaks="An internal fault undoes nothing: without a reason in the log the order is parked.",
        file="workflows/sagas/actions.py",
        old='    return {"reason": "completed" if order.run_state is RunState.ENDED else "none"}\n',
        new="    if order.run_state is not RunState.ENDED:\n"
        "        from domain.order.commands import CancelOrder\n"
        "\n"
        '        fault = CancelOrder(by=SYSTEM, reason="something failed")\n'
        '        key = f"CancelOrder/{step.run}"\n'
        "        handle(engine.log, fault, order_id=step.order_id, key=key, caller=_caller(step))\n"
        '        return {"reason": "cancelling"}\n'
        '    return {"reason": "completed"}\n',
        caught_by=tests(
            "sagas/test_parking.py::test_an_order_whose_capture_is_refused_is_parked_and_keeps_what_it_did"
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
        name="repeated request answered before the first one's fsync",
        breaks="No answer shows a commit before its fsync, not even the answer to a repeated request.",
        file="workflows/sqlite/group_commit.py",
        old="                self._perform(queued)\n",
        new="                self._perform(queued)\n"
        "                if queued.result is not None:\n"
        "                    batch = [other for other in batch if other is not queued]\n"
        "                    queued.settle()\n",
        caught_by=tests(
            "sqlite/test_sqlite_event_log.py::test_a_replayed_append_is_answered_only_once_the_write_it_repeats_is_durable"
        ),
    ),
    Mutant(
        name="write answered before its fsync",
        breaks="A write is acknowledged only after its fsync.",
        file="workflows/sqlite/group_commit.py",
        old="                self._perform(queued)\n",
        new="                self._perform(queued)\n                queued.settle()\n            batch = []\n",
        caught_by=tests(
            "sqlite/test_sqlite_event_log.py::test_thirty_two_orders_share_syncs_and_none_is_acknowledged_before_its_own"
        ),
    ),
    Mutant(
        name="run not checked in a step",
        breaks="A run that was superseded makes no decisions.",
        file="workflows/sagas/actions.py",
        old="    if step.run < order.run:\n",
        new="    if False:\n",
        caught_by=tests(f"{RESTART_LAW}[0-beside a zombie of the run before]"),
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
        name="undo under a key per attempt",
        breaks="Every attempt of an undo uses the same key; otherwise it could be done twice.",
        file="workflows/sagas/steps/payment.py",
        old="    receipt = payments.void(authorization_id=intent.authorization_id, key=call_key(order, version), ",
        new="    version_now = order.version + order.run\n"
        "    receipt = payments.void(authorization_id=intent.authorization_id, key=call_key(order, version_now), ",
        caught_by=simulation(0, 20),
    ),
    Mutant(
        name="offer withdrawn under another key than it was made with",
        breaks="An undo names the call that it undoes by that call's key, so it works even if the call never arrived.",
        file="workflows/sagas/steps/delivery.py",
        old="        offer_key=call_key(order, intent.request), key",
        new="        offer_key=call_key(order, version), key",
        caught_by=simulation(0, 20),
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
        old="*_owed_ticket(order), *_owed_couriers(order))\n",
        new="*_owed_ticket(order))\n",
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
        name="capture of the authorised amount instead of the price of the delivered items",
        breaks="A step takes its amount from the intent.",
        file="workflows/sagas/steps/payment.py",
        old="        authorization_id=intent.authorization_id,\n        amount=intent.amount,\n",
        new="        authorization_id=intent.authorization_id,\n        amount=order.payment.authorization.amount,\n",
        caught_by=tests("sagas/test_happy_path.py::test_unavailable_items_are_not_charged"),
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
        name="failed undo stops the others",
        breaks="A failed undo does not stop the others.",
        file="workflows/sagas/steps/performing.py",
        old="            failures.append(failure)\n",
        new="            raise failure\n",
        caught_by=tests("sagas/test_performing.py"),
    ),
    Mutant(
        name="timeout recorded for the current intent instead of the awaited one",
        breaks="A timeout is recorded for the intent that the wait was registered for.",
        file="workflows/sagas/actions.py",
        old="awaited=wait.awaited, intent_version=wait.intent_version, at=engine.clock.now()\n",
        new="awaited=wait.awaited,\n"
        "                intent_version=awaited_intent(load(engine.log, step.order_id)[1], wait.awaited) or 0,\n"
        "                at=engine.clock.now(),\n",
        caught_by=tests(f"{WAITS}::test_a_timeout_is_recorded_for_the_intent_that_was_waited_for"),
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
        file="domain/order/order.py",
        old="    DeliveryFailed: _by_hand(_delivery),\n",
        new="",
        caught_by=tests("domain/order/test_second_person.py"),
    ),
    Mutant(
        name="confirmed report not counted towards the limit",
        breaks="Confirming a report concedes what the report concedes.",
        file="domain/order/order.py",
        old="    ReportConfirmed: _by_hand(_confirmed),\n",
        new="    ReportConfirmed: _confirmed,\n",
        caught_by=tests("domain/order/test_second_person.py"),
    ),
    Mutant(
        name="abandoned price not counted towards the limit",
        breaks="An abandoned order counts with the price that is not paid any more.",
        file="domain/order/order.py",
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
        name="clock follows a wall clock that jumps",
        breaks="A wall clock that jumps moves the engine's clock by 5% of the time at most.",
        file="workflows/embedded/steady_clock.py",
        old="max(-slew_s, min(slew_s, apart_s))",
        new="apart_s",
        caught_by=simulation(0, 20),
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
        file="domain/order/order.py",
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
        name="cancellation ends the circuit wait of an undo",
        breaks="A cancellation does not interrupt compensation and its waits.",
        file="workflows/sagas/waits.py",
        old="    elif (order.cancellation is not None or order.given_up) and wait.action == AWAIT_CIRCUIT:\n",
        new="    elif order.cancellation is not None or order.given_up:\n",
        caught_by=tests(
            "sagas/test_runs.py::test_a_cancellation_ends_forward_waits_for_a_circuit_but_not_compensation_waits"
        ),
    ),
    Mutant(
        name="wait of a superseded run not ended",
        breaks="A new run ends the waits of the older one, so that no token stays open.",
        file="workflows/sagas/waits.py",
        old="    if known is not Answer.NONE or wait.run < order.run:\n",
        new="    if known is not Answer.NONE:\n",
        caught_by=tests("sagas/test_runs.py::test_a_wait_of_a_superseded_run_is_ended"),
    ),
    Mutant(
        name="command not decided again after a conflict",
        breaks="After a conflict the command is decided again on the current stream.",
        file="workflows/event_store/transact.py",
        old="        commit = proposal.decide()\n",
        new='        commit = locals().get("commit") or proposal.decide()\n',
        caught_by=tests(
            "orders/test_command_handling.py::test_a_command_that_lost_a_conflict_is_decided_again_on_the_newer_state"
        ),
    ),
    Mutant(
        name="key of a command not looked up",
        breaks="A repeated command is replayed, wherever in the stream its key was used.",
        file="workflows/event_store/transact.py",
        old="        if history.find(proposal.key, proposal.body_hash):\n",
        new="        if False:\n",
        caught_by=tests(
            "orders/test_command_handling.py::test_a_repeated_command_is_replayed_however_the_order_went_on"
        ),
    ),
    Mutant(
        name="hash without the time",
        breaks="The hash chain covers the time of a commit.",
        file="workflows/event_store/commits.py",
        old='sha256(b"".join((lengths, previous, pk, sk, k, ts, ev)))',
        new='sha256(b"".join((lengths, previous, pk, sk, k, ev)))',
        caught_by=tests("event_store/test_event_log_contract.py::test_a_stream_that_was_tampered_with_is_not_loaded"),
    ),
    Mutant(
        name="checkpoint of the feed ahead of the processing",
        breaks="The checkpoint is never ahead of the processing, so that a crash leads to redelivery.",
        file="workflows/embedded/lambda_/feed.py",
        old="json.dumps(sorted(self._unfinished)))\n",
        new="json.dumps([]))\n",
        caught_by=tests("embedded/test_feed.py::test_after_a_checkpoint_only_the_unfinished_comes_again"),
    ),
    Mutant(
        name="new run not started after its commit",
        breaks="The runs that began in a commit are started.",
        file="workflows/sagas/runs.py",
        old="            return event.run\n",
        new="            return None\n",
        caught_by=tests("sagas/test_runs.py::test_each_run_is_started_once_by_its_name"),
    ),
    Mutant(
        name="watchdog acts on parked orders",
        breaks="Only a person acts on a parked order.",
        file="workflows/orders/waiting.py",
        old="    if order.run_state is not RunState.RUNNING or order.placed is None:\n",
        new="    if order.placed is None:\n",
        caught_by=tests("upkeep/test_watchdog.py::test_a_parked_order_is_never_touched"),
    ),
    Mutant(
        name="watchdog starts a new run before it notifies",
        breaks="The watchdog notifies the waiting run before it starts a new one.",
        file="workflows/upkeep/watchdog.py",
        old="    if answered or engine.clock.now() <= _notified_until(late):\n",
        new="    if False:\n",
        caught_by=tests("upkeep/test_watchdog.py::test_an_overdue_order_first_has_its_run_started_by_name"),
    ),
    Mutant(
        name="a long outage of a provider is not logged",
        breaks="A circuit open for more than ten minutes is logged in every round, and an alarm counts the lines.",
        file="workflows/upkeep/on_tick.py",
        old="            _log_long_open(circuits, engine.clock.now())\n",
        new="            pass\n",
        caught_by=tests("upkeep/test_watchdog.py::test_a_long_open_circuit_is_logged_in_every_round_until_it_closes"),
    ),
    Mutant(
        name="probe without a lease",
        breaks="While a circuit is open, only the holder of the lease makes one call an interval.",
        file="workflows/breakers/circuit.py",
        old="            if self.lease.calling or self.lease.holder != holder:\n",
        new="            if False:\n",
        caught_by=tests("breakers/test_breaker_shared.py::test_of_twenty_processes_at_once_one_gets_the_probe"),
    ),
    Mutant(
        name="circuit wait deleted before its task is settled",
        breaks="A circuit wait is deleted only after its task was settled.",
        file="workflows/sagas/circuit_waits.py",
        old='    try:\n        executions.succeed(wait.token, {"answer": answer})\n',
        new='    forget(documents, wait)\n    try:\n        executions.succeed(wait.token, {"answer": answer})\n',
        caught_by=tests("sagas/test_circuit_waits.py::test_an_order_that_could_not_be_woken_is_woken_later"),
    ),
    Mutant(
        name="circuit read before the wait is registered",
        breaks="A circuit wait is registered first, and then the circuit is read again.",
        file="workflows/sagas/circuit_waits.py",
        old="    if breaker.read().state is CircuitState.CLOSED:\n"
        '        _settle(documents, executions, wait, "closed")\n',
        new="",
        caught_by=tests(
            "sagas/test_circuit_waits.py::test_an_order_that_waits_for_a_circuit_that_just_closed_goes_on_at_once"
        ),
    ),
    Mutant(
        name="release without a rate",
        breaks="Orders that waited for a circuit are released at the configured rate.",
        file="workflows/sagas/circuit_waits.py",
        old="    for wait in islice(chain([first], waiting), allowed):\n",
        new="    for wait in chain([first], waiting):\n",
        caught_by=tests("sagas/test_circuit_waits.py::test_the_release_is_paced"),
    ),
    Mutant(
        name="result before its commit",
        breaks="A write is acknowledged after the COMMIT that made it durable.",
        file="workflows/sqlite/group_commit.py",
        old="                self._perform(queued)\n"
        '            self._connection.execute("COMMIT")\n'
        "            self._files.check(self._frames)\n"
        "        except (apsw.Error, FileReplaced) as error:\n"
        "            self._break(error, batch)\n"
        "            return\n"
        "        for queued in batch:\n"
        "            queued.settle()\n",
        new="                self._perform(queued)\n"
        "                queued.settle()\n"
        '            self._connection.execute("COMMIT")\n'
        "            self._files.check(self._frames)\n"
        "        except (apsw.Error, FileReplaced) as error:\n"
        "            self._break(error, batch)\n"
        "            return\n",
        caught_by=tests("sqlite/test_database.py::test_nothing_is_visible_or_acknowledged_while_the_sync_runs"),
    ),
    Mutant(
        name="old history kept",
        breaks="A history that is older than the newest durable commit of its stream is not kept.",
        file="workflows/sqlite/recent.py",
        old="        if history.version >= newest:\n            self._put",
        new="        if history.version >= 0:\n            self._put",
        caught_by=tests("sqlite/test_recent.py::test_no_order_of_appends_and_late_results_keeps_an_old_history"),
    ),
    Mutant(
        name="kept history after a write of another process",
        breaks="Kept histories are dropped when another process wrote to the file.",
        file="workflows/sqlite/event_log.py",
        old="            self._recent.clear()\n",
        new="",
        caught_by=tests("sqlite/test_recent.py::test_a_write_of_another_process_empties_what_is_kept"),
    ),
    Mutant(
        name="history kept after its key was destroyed",
        breaks="A history that continues one from before an erasure is not kept: it holds what was decrypted.",
        file="workflows/sqlite/event_log.py",
        old="        if recent is not None and recent.emptied == emptied:",
        new="        if recent is not None:",
        caught_by=tests(
            "sqlite/test_recent.py::test_an_append_after_a_key_was_destroyed_keeps_nothing_that_it_decrypted",
            "sqlite/test_recent.py::test_a_key_destroyed_while_an_append_becomes_durable_takes_its_history_too",
        ),
    ),
    Mutant(
        name="kept read after a write of the partition",
        breaks="A durable write of a document drops the kept reads of its partition.",
        file="workflows/sqlite/documents.py",
        old="            self._reads.pop(pk, None)\n",
        new="            pass\n",
        caught_by=tests("sqlite/test_recent_reads.py::test_a_kept_read_equals_the_file_after_any_writes"),
    ),
    Mutant(
        name="arrival that does not wake the hub",
        breaks="A call from another thread wakes the hub when it is idle.",
        file="workflows/hub/hub.py",
        old="        else:\n            self._inbox.put(call)\n",
        new="        else:\n            self._ready.append(call)\n",
        caught_by=tests("hub/test_hub.py::test_a_task_that_waits_for_a_thread_is_woken_by_it"),
    ),
    Mutant(
        name="full transaction that does not wake the hub",
        breaks="Writes that a transaction had no room for are committed by the next one.",
        file="workflows/sqlite/group_commit.py",
        old="        if self._queue:\n            self.hub.commit(self._commit_queued)\n        elif batch:\n",
        new="        if batch:\n",
        caught_by=tests("hub/test_hub.py::test_writes_that_one_transaction_has_no_room_for_are_committed_by_the_next"),
    ),
    Mutant(
        name="bytes before the fsync of a commit",
        breaks="No answer, live update, webhook or provider call leaves before the fsync of its cause.",
        file="workflows/sqlite/database.py",
        old="PRAGMA synchronous=FULL",
        new="PRAGMA synchronous=NORMAL",
        caught_by=tests(f"{BYTES}::test_no_byte_leaves_before_the_fsync_of_its_cause"),
    ),
    Mutant(
        name="answer before the fsync of the journal",
        breaks="The effects and answers of a round of the driver follow the fsync of its journal entries.",
        file="workflows/embedded/step_functions/rounds.py",
        old=".add_done_callback(lambda written: self._written(round_, written))\n",
        new="\n        self._perform(round_)\n",
        caught_by=tests(f"{BYTES}::test_step_functions_answers_after_the_fsync_of_what_was_asked"),
    ),
    Mutant(
        name="append that does not wait for its fsync",
        breaks="A task goes on after its append once the commit is durable.",
        file="workflows/sqlite/event_log.py",
        old="stored = wait("
        "self._database.submit(lambda connection: _insert(connection, commit), on_durable=durable))\n",
        new="self._database.submit(lambda connection: _insert(connection, commit), on_durable=durable)\n"
        "            stored: int | Commit = 0\n",
        caught_by=tests(f"{BYTES}::test_no_byte_leaves_before_the_fsync_of_its_cause"),
    ),
    Mutant(
        name="live updates before the commit",
        breaks="Listeners of the log are called once the commit is durable.",
        file="workflows/sqlite/group_commit.py",
        old="            queued.result = queued.work(self._connection)\n",
        new="            queued.result = queued.work(self._connection)\n"
        "            if queued.on_durable is not None:\n"
        "                queued.on_durable(queued.result)\n",
        caught_by=tests("sqlite/test_sqlite_event_log.py::test_readers_feed_and_scan_see_nothing_before_the_sync"),
    ),
    Mutant(
        name="live version lost",
        breaks="A message has every event after the last one of its topic.",
        file="workflows/live/subscriptions.py",
        old="        body = now.body(subscriber.actor, subscription.after, now.version)\n",
        new="        body = now.body(subscriber.actor, now.version - 1, now.version)\n",
        caught_by=simulation(0, 10),
    ),
    Mutant(
        name="live version sent twice",
        breaks="A message has no event that the subscriber received before.",
        file="workflows/live/subscriptions.py",
        old="        subscription.after = now.version\n        subscriber.send",
        new="        subscriber.send",
        caught_by=simulation(0, 10),
    ),
    Mutant(
        name="live list that resumes at its end",
        breaks="A list resumes after the position that its subscriber has.",
        file="workflows/live/subscriptions.py",
        old="newest if since is None else since)",
        new="newest)",
        caught_by=simulation(0, 10),
    ),
    Mutant(
        name="live permission not checked again",
        breaks="Each message checks whether the subscriber may still read the order.",
        file="workflows/live/subscriptions.py",
        old="        if not now.may_read(subscriber.actor):\n",
        new="        if False:\n",
        caught_by=tests("live/test_sockets.py::test_an_offer_leaves_the_board_of_the_couriers_who_did_not_take_it"),
    ),
    Mutant(
        name="webhook signed over another text than its body",
        breaks="The signature of a webhook is over the exact body that is sent.",
        file="workflows/publishing/webhooks/delivering.py",
        old='    headers = signed_headers(str(event["id"]), body, at,',
        new='    headers = signed_headers(str(event["id"]), json.dumps(event), at,',
        caught_by=simulation(0, 10),
    ),
    Mutant(
        name="failed webhook delivery forgotten",
        breaks="A delivery that failed is attempted again for three days.",
        file="workflows/publishing/webhooks/deliveries.py",
        old="        state, planned = DeliveryState.PENDING, next_try\n",
        new="        state, planned = DeliveryState.FAILED, None\n",
        caught_by=simulation(0, 10),
    ),
    Mutant(
        name="published event acknowledged before its deliveries are stored",
        breaks="A message leaves the queue only after its deliveries are stored.",
        file="handlers/queue_batches.py",
        old="        failed += readable\n",
        new="        failed += []\n",
        caught_by=simulation(0, 10),
    ),
    Mutant(
        name="webhook to a private address after its name changed",
        breaks="The addresses of an endpoint's name are checked at each attempt.",
        file="workflows/publishing/webhooks/http_sender.py",
        old="addresses=permitted(self._lookup, targets))",
        new="addresses=self._lookup)",
        caught_by=tests(
            "publishing/test_webhook_sender.py::test_a_name_that_points_to_a_private_address_is_refused_at_the_attempt"
        ),
    ),
    Mutant(
        name="view row of a lower version replaces a higher one",
        breaks="A row is replaced only by a row of a higher version, however late a projector writes.",
        file="workflows/projections/store.py",
        old='        guard = ">=" if again else ">"\n',
        new='        guard = ""\n',
        caught_by=simulation(0, 10),
    ),
    Mutant(
        name="view position stored before the rows",
        breaks="The position is stored with the rows in one transaction: what is before it is in the views.",
        file="workflows/projections/projector.py",
        old="        store = self._store\n        with store.writing() as connection:\n            left_out",
        new="        store = self._store\n"
        "        if as_of is not None:\n"
        "            with store.writing() as connection:\n"
        "                store.advance(connection, as_of)\n"
        "        with store.writing() as connection:\n"
        "            left_out",
        caught_by=simulation(0, 20),
    ),
    Mutant(
        name="view of a parked history forgotten",
        breaks="A history that cannot be projected is recorded as parked, and tried again.",
        file="workflows/projections/projector.py",
        old="                store.park(connection, view, stream, type(error).__name__)\n",
        new="                pass\n",
        caught_by=simulation(0, 10),
    ),
    Mutant(
        name="view that the daily comparison does not mend",
        breaks="Whatever happened to a view's rows, the daily comparison brings those of the log back.",
        file="workflows/projections/comparison.py",
        old="        self._projector.mend({*wrong, *parked})\n",
        new="        self._projector.project({*wrong, *parked})\n",
        caught_by=tests("projections/test_comparison.py::test_rows_that_are_lost_changed_or_made_up_are_mended"),
    ),
    Mutant(
        name="projector that no commit wakes",
        breaks="The engine wakes the projector's process after each turn in which something was committed.",
        file="workflows/embedded/projector_process.py",
        old="            self._hub.soon(self._wake)\n",
        new="",
        caught_by=tests(f"{PROJECTOR}::test_commits_of_one_turn_wake_the_projector_once"),
    ),
    Mutant(
        name="projector that outlives its engine",
        breaks="The projector's process ends with the engine, even if the engine is killed.",
        file="workflows/embedded/projector_main.py",
        old="    follower.stop()\n    time.sleep(END_WITHIN_S)\n    os._exit(1)\n",
        new="",
        caught_by=tests(f"{PROJECTOR}::test_the_projector_ends_with_an_engine_that_is_killed"),
    ),
    Mutant(
        name="projector that is not started again",
        breaks="A projector that was killed is started again and continues from the stored position.",
        file="workflows/embedded/projector_process.py",
        old="            if self._closing.is_set():\n                return\n",
        new="            return\n",
        caught_by=tests(f"{PROJECTOR}::test_a_killed_projector_is_started_again_and_the_views_are_those_of_a_rebuild"),
    ),
    Mutant(
        name="destroyed key used by the projector",
        breaks="The projector uses no key that it read before a customer was erased.",
        file="workflows/projections/log_follower.py",
        old="                self._forget_keys()\n",
        new="                pass\n",
        caught_by=tests(f"{PROJECTOR}::test_an_erased_customer_is_no_longer_found"),
    ),
    Mutant(
        name="deleted views read on",
        breaks="The engine opens the views again after the projector replaced their file.",
        file="workflows/sql/database.py",
        old="            raise DisconnectionError\n",
        new="            pass\n",
        caught_by=tests("sql/test_database.py::test_readers_read_the_new_file_after_another_process_replaced_it"),
    ),
    Mutant(
        name="commit behind a hole in the WAL",
        breaks="A commit is acknowledged only if the next start will find it and those before it.",
        file="workflows/sqlite/open_files.py",
        old="            self._check_wal(self._wal_fd, frames)\n",
        new="",
        caught_by=tests(
            "sqlite/test_open_files.py::test_a_commit_into_a_file_whose_content_is_gone_is_not_acknowledged"
        ),
    ),
    Mutant(
        name="personal data shown to auditors",
        breaks="Only those involved in an order see its personal data.",
        file="workflows/orders/visibility.py",
        old="READERS - {Audience.COURIER, Audience.AUDITOR}\n",
        new="READERS - {Audience.COURIER}\n",
        caught_by=tests("orders/test_visibility.py::test_every_cell_of_the_page_is_what_an_audience_gets"),
    ),
    Mutant(
        name="notes of support shown to all who know of them",
        breaks="An audience gets the fields of an event that the table gives it, and no others.",
        file="workflows/orders/visibility.py",
        old="for name, seen_by in fields.items() if audience in seen_by]\n",
        new="for name, seen_by in fields.items() if seen_by]\n",
        caught_by=tests("orders/test_visibility.py::test_every_cell_of_the_page_is_what_an_audience_gets"),
    ),
    Mutant(
        name="personal data shown although it was not asked for",
        breaks="A console that covers the contact is not sent it, and the read is not recorded as one.",
        file="workflows/orders/visibility.py",
        old="    return Audience.AUDITOR if not personal and audience in",
        new="    return Audience.AUDITOR if False and audience in",
        caught_by=tests("search/test_access_log.py"),
    ),
    Mutant(
        name="login code that works twice",
        breaks="The code in the address of a browser's history is worth nothing after its first use.",
        file="workflows/embedded/http/console.py",
        old="        pending = self._pending.pop(_name(code), None)\n",
        new="        pending = self._pending.get(_name(code))\n",
        caught_by=tests("console/test_serving.py::test_a_code_gives_its_token_once"),
    ),
    Mutant(
        name="login code that never expires",
        breaks="A code that no browser fetched is forgotten after a minute.",
        file="workflows/embedded/http/console.py",
        old="pending is not None and pending.until_s > self._clock()",
        new="pending is not None",
        caught_by=tests("console/test_serving.py::test_a_code_expires_and_codes_are_bounded"),
    ),
    Mutant(
        name="console's page without its policy",
        breaks="A text of an order that became a script would run.",
        file="workflows/embedded/http/console.py",
        old="        headers |= security_headers(file.content, origins)\n",
        new="        pass\n",
        caught_by=tests("console/test_serving.py::test_every_address_of_the_console_is_its_page_with_a_strict_policy"),
    ),
    Mutant(
        name="sealed field that can be moved",
        breaks="A sealed field is bound to its stream, event and field, so that it cannot be read in another place.",
        file="workflows/event_store/personal_fields.py",
        old="for part in (*self._place, field)).encode()\n",
        new="for part in (field,)).encode()\n",
        caught_by=tests("event_store/test_codec.py::test_a_sealed_field_cannot_be_moved_elsewhere"),
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
        name="price of a choice forgotten",
        breaks="An order costs what the menu says, with its options.",
        file="domain/catalogue/pricing.py",
        old="Option(name=option.name, price=option.price) for option in chosen",
        new="Option(name=option.name, price=Money.zero(option.price.currency)) for option in chosen",
        caught_by=tests("domain/catalogue/test_pricing.py"),
    ),
    Mutant(
        name="minimum not checked",
        breaks="An order below the restaurant's minimum is refused.",
        file="domain/catalogue/pricing.py",
        old="    if items < profile.minimum_order:\n",
        new="    if items.minor < 0:\n",
        caught_by=tests("domain/catalogue/test_pricing.py"),
    ),
    Mutant(
        name="price that changed accepted",
        breaks="expected_total refuses every other price.",
        file="domain/catalogue/pricing.py",
        old="expected_total != quoted.total:",
        new="expected_total < quoted.total:",
        caught_by=tests("domain/catalogue/test_pricing.py", "handlers/test_prices.py"),
    ),
    Mutant(
        name="prices of a customer trusted",
        breaks="A customer sets no price.",
        file="handlers/http/placing.py",
        old="    if body.lines is not None and actor.role is not Role.SERVICE:\n",
        new="    if body.lines is not None and actor.role is Role.COURIER:\n",
        caught_by=tests("handlers/test_prices.py"),
    ),
    Mutant(
        name="sold-out items taken",
        breaks="What was sold out during all of a request is not in its order.",
        file="domain/catalogue/pricing.py",
        old="    for selection in selections:\n        _refuse_sold_out(selection, restaurant.sold_out)\n",
        new="",
        caught_by=simulation(0, 40),
    ),
    Mutant(
        name="sold-out options taken",
        breaks="An option that is sold out is refused as an item is.",
        file="domain/catalogue/pricing.py",
        old='    for option in ("", *selection.options):\n',
        new='    for option in ("",):\n',
        caught_by=tests("domain/catalogue/test_pricing.py::test_what_is_sold_out_is_refused_by_name"),
    ),
    Mutant(
        name="paused restaurant takes orders",
        breaks="A restaurant that was paused during all of a request takes no order.",
        file="domain/catalogue/restaurant.py",
        old="        return self.has_menu and not self.is_paused(at) and is_open(",
        new="        return self.has_menu and is_open(",
        caught_by=simulation(0, 40),
    ),
    Mutant(
        name="order priced from another menu than it names",
        breaks="An order costs what the version of the menu that it names says.",
        file="domain/catalogue/pricing.py",
        old="        menu_version=restaurant.menu_version,\n",
        new="        menu_version=max(1, restaurant.menu_version - 1),\n",
        caught_by=simulation(0, 40),
    ),
    Mutant(
        name="open at the closing minute",
        breaks="A restaurant is closed from its closing time on.",
        file="domain/catalogue/opening_hours.py",
        old="any(i.start <= at < i.end for i in",
        new="any(i.start <= at <= i.end for i in",
        caught_by=tests("domain/catalogue/test_opening_hours.py"),
    ),
    Mutant(
        name="picture that was not uploaded accepted",
        breaks="A menu names pictures that exist.",
        file="workflows/catalogue/pictures.py",
        old="            if picture not in stored:\n",
        new="            if picture in stored and not stored:\n",
        caught_by=tests("handlers/test_pictures.py"),
    ),
    Mutant(
        name="item that left the menu found",
        breaks="A search for a dish finds what can be ordered.",
        file="workflows/projections/menus.py",
        old='        "available": int(is_listed and "" not in sold_out),\n',
        new='        "available": int("" not in sold_out),\n',
        caught_by=tests("search/test_restaurants.py"),
    ),
    Mutant(
        name="order's rows stored in the views of restaurants",
        breaks="A view has rows of the streams that it is made of.",
        file="workflows/projections/rebuild.py",
        old="                if view.category == ORDER:\n",
        new="                if view.category:\n",
        caught_by=tests("projections/test_rebuild.py::test_an_erasure_during_a_rebuild_is_in_the_new_table"),
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
        name="second capture taken for an unknown one",
        breaks="A capture of a hold that was captured already is named as captured twice.",
        file="workflows/books/reconciliation.py",
        old="return line.kind is LineKind.CAPTURED or line.amount == other.amount",
        new="return line.amount != other.amount",
        caught_by=tests("books/test_reconciliation.py"),
    ),
    Mutant(
        name="void recorded and hold not looked for",
        breaks="A hold that the log released and the statement still has is named.",
        file="workflows/books/reconciliation.py",
        old="        yield from self._not_released()\n",
        new="",
        caught_by=tests("books/test_reconciliation.py"),
    ),
    Mutant(
        name="statement read with a rounded amount",
        breaks="An amount with more decimals than its currency has is refused and not cut.",
        file="workflows/books/statement.py",
        old='Money.parse(fields["amount"], fields["currency"])',
        new='Money.parse(fields["amount"][:5], fields["currency"])',
        caught_by=tests("books/test_statement.py"),
    ),
    Mutant(
        name="receipt made again on every read",
        breaks="The first receipt that was stored for a version stays.",
        file="workflows/receipts/issuing.py",
        old='    return cast("ReceiptJson", stored.body)\n',
        new="    return receipt_content(history, version, profile_then(log, history))\n",
        caught_by=tests("receipts/test_receipts.py"),
    ),
    Mutant(
        name="receipt with the restaurant of today",
        breaks="A receipt names the restaurant as it was when the order was placed.",
        file="workflows/receipts/issuing.py",
        old="if recorded.ts <= placed.ts]",
        new="]",
        caught_by=tests("receipts/test_receipts.py"),
    ),
    Mutant(
        name="character without a glyph left out of a receipt",
        breaks="A character that the fonts lack leaves a visible mark.",
        file="workflows/receipts/pdf.py",
        old='"" if each in _INVISIBLE else MISSING for',
        new='"" for',
        caught_by=tests("receipts/test_printing.py"),
    ),
    Mutant(
        name="marks of direction in a name of a receipt",
        breaks="A name cannot turn the text beside it around.",
        file="workflows/receipts/sheet.py",
        old="for each in text if each not in _DIRECTION)",
        new="for each in text)",
        caught_by=tests("receipts/test_printing.py"),
    ),
    Mutant(
        name="personal data shown before its read is recorded",
        breaks="A read of personal data is recorded before it is answered; without the record nothing is shown.",
        file="workflows/orders/access.py",
        old="    if history.version:\n        return\n",
        new="    if not history.version:\n        return\n",
        caught_by=tests("search/test_access_log.py::test_without_a_record_nothing_is_shown"),
    ),
    Mutant(
        name="a customer's own reason shown to auditors",
        breaks="Auditors see why support cancelled, and never why a customer did.",
        file="workflows/orders/visibility.py",
        old="event.by.role is Role.SUPPORT",
        new="event.by.role is not Role.SYSTEM",
        caught_by=tests(
            "search/test_lists.py::test_auditors_see_why_support_changed_an_order_and_the_read_is_recorded"
        ),
    ),
    Mutant(
        name="bulk job begun with any token",
        breaks="A bulk job begins only with the token of a plan that still holds.",
        file="workflows/incidents/bulk_actions.py",
        old='    if digest != planned.token.partition(".")[2]:\n',
        new="    if not digest:\n",
        caught_by=tests("incidents/test_bulk_jobs.py"),
    ),
    Mutant(
        name="bulk credit done before its refund",
        breaks="The outcome of a credit on a completed order is that of its refund.",
        file="workflows/incidents/bulk_retry.py",
        old="if order.run_state is RunState.RUNNING and not order.delivery.delivered:",
        new="if order.run_state is RunState.RUNNING:",
        caught_by=tests("incidents/test_bulk_jobs.py"),
    ),
    Mutant(
        name="two credits under one id",
        breaks="A credit is identified by its request: another request of the same amount is another credit.",
        file="workflows/incidents/credits.py",
        old="sha256(request_key(request, None).encode())",
        new="sha256(str(amount).encode())",
        caught_by=tests("incidents/test_credits.py"),
    ),
    Mutant(
        name="credit on parked orders alone",
        breaks="A credit is possible whatever the order's status, also after its completion.",
        file="workflows/incidents/credits.py",
        old="dry_run, parked_only=False)",
        new="dry_run)",
        caught_by=tests("incidents/test_credits.py"),
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
        name="plan of a credit with calls that are open already",
        breaks="A plan lists the calls that follow from the action, and no others of a run that goes on.",
        file="workflows/incidents/plans.py",
        old="if call.version > order.version or not goes_on)",
        new="if call.version)",
        caught_by=tests("incidents/test_credits.py"),
    ),
    Mutant(
        name="authorizer of queries that admits every column",
        breaks="A query reads the documented columns and no others, whatever its text is.",
        file="workflows/queries/sqlite_child.py",
        old="        return (table, column) in readable",
        new="        return table not in others",
        caught_by=tests("queries/test_hostile.py::test_sqlite_refuses_what_the_reader_would_let_through"),
    ),
    Mutant(
        name="query without a time limit",
        breaks="A query is stopped at its time limit.",
        file="workflows/queries/sqlite_child.py",
        old="lambda: time.monotonic() > deadline_s",
        new="lambda: False",
        caught_by=tests("queries/test_hostile.py::test_a_query_that_takes_too_long_is_stopped"),
    ),
    Mutant(
        name="query run before it is recorded",
        breaks="Each query is recorded before it runs, also one that is refused.",
        file="handlers/queries_api.py",
        old="    record_audit_read(ports.log, caller, route=ROUTE, request=body.sql, at=ports.clock.now())\n",
        new="",
        caught_by=tests("queries/test_queries.py::test_a_query_is_recorded_before_it_runs"),
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
        file="domain/order/order.py",
        old='return {"approvals": pending, "rejected"',
        new='return {"rejected"',
        caught_by=tests("incidents/test_taking_on.py"),
    ),
    Mutant(
        name="reports passed on by every role",
        breaks="Support alone passes reports on.",
        file="workflows/incidents/passing_on.py",
        old="    check(request.caller.actor, Action.PASS_ON, order)\n",
        new="",
        caught_by=tests("incidents/test_passing_on.py"),
    ),
    Mutant(
        name="last block of an export unchecked",
        breaks="A file that was changed is refused with the place.",
        file="workflows/exports/manifest.py",
        old="    if size != manifest.bytes:\n",
        new="    if size > manifest.bytes:\n",
        caught_by=tests("exports/test_exports.py::test_a_changed_file_is_refused_with_the_place"),
    ),
    Mutant(
        name="text of a CSV export that a spreadsheet runs",
        breaks="No cell of an export is a formula.",
        file="workflows/exports/formats.py",
        old="[as_text(str(",
        new="[str(str(",
        caught_by=tests("exports/test_exports.py::test_no_cell_of_a_csv_file_is_a_formula"),
    ),
    Mutant(
        name="trace of a saga lost",
        breaks="What the sagas record for an order carries the trace of the request that placed it.",
        file="workflows/orders/command_handling.py",
        old='caller.correlation or (history.recorded[0].correlation if history.recorded else "")',
        new="caller.correlation",
        caught_by=tests("runs/test_traces.py"),
    ),
    Mutant(
        name="patch of a name with a slash",
        breaks="A patch names its place as RFC 6901 says.",
        file="workflows/orders/keyed_state.py",
        old=".replace('/', '~1')",
        new="",
        caught_by=tests("orders/test_timeline.py::test_a_patch_makes_one_document_of_any_other"),
    ),
    Mutant(
        name="edited commit that is shown as verified",
        breaks="A timeline is verified against the stored commits, not against what a process has in memory.",
        file="workflows/orders/timeline.py",
        old="    findings = list(walk.findings)\n",
        new="    findings: list[Finding] = []\n",
        caught_by=tests("orders/test_timeline.py::test_a_commit_that_was_edited_after_it_was_read_is_found"),
    ),
    Mutant(
        name="engine compared with a newer log",
        breaks="What the engine must know already is looked up in the log as it was before the engine was read.",
        file="workflows/runs/differences.py",
        old="    for recorded in read.before.recorded:\n",
        new="    for recorded in read.after.recorded:\n",
        caught_by=tests("runs/test_differences.py::test_an_event_recorded_after_the_engine_was_read_is_no_difference"),
    ),
    Mutant(
        name="attempts counted for another branch",
        breaks="An event of an execution belongs to the state that led to it, not to the state that was entered last.",
        file="workflows/runs/visits.py",
        old='            visit = walk.by_event.get(event["previousEventId"])\n',
        new="            visit = walk.visits[-1] if walk.visits else None\n",
        caught_by=tests("runs/test_visits.py"),
    ),
    Mutant(
        name="order on a socket without a record of the read",
        breaks="Nothing personal leaves a socket before the record of the read.",
        file="workflows/live/subscriptions.py",
        old="            return False\n        return True\n",
        new="            return True\n        return True\n",
        caught_by=tests("live/test_shown.py"),
    ),
    Mutant(
        name="dead end without what would help",
        breaks="A plan that leads nowhere names what would help instead.",
        file="workflows/incidents/remedies.py",
        old="dataclasses.replace(each, instead=instead)",
        new="each",
        caught_by=tests("incidents/test_why.py::test_no_plan_is_a_dead_end_without_what_would_help_instead"),
    ),
    Mutant(
        name="attempts of a state that was left",
        breaks="The attempts of a wait are those of the state that waits now.",
        file="workflows/incidents/why.py",
        old="visit.action == step is not None and visit.exited_at is None and visit.attempts",
        new="visit.action == step is not None and visit.exited_at is not None and visit.attempts",
        caught_by=tests("runs/test_attempts.py"),
    ),
    Mutant(
        name="owed after it was given back",
        breaks="What was given back is not owed any more.",
        file="workflows/projections/owed.py",
        old='"open": int(item is not None),',
        new='"open": 1,',
        caught_by=tests("search/test_owed.py"),
    ),
    Mutant(
        name="totals of what is owed by page",
        breaks="Totals are of all that the filter admits.",
        file="workflows/search/owed_list.py",
        old="_totals(connection, conditions, now)",
        new="_totals(connection, [*conditions, *rest], now)",
        caught_by=tests("search/test_owed.py"),
    ),
    Mutant(
        name="drill that broke nothing",
        breaks="A drill played by itself is broken before its solution.",
        file="workflows/cli/drills/playing.py",
        old="    return bool(before) and _checked(drill, stage)",
        new="    return _checked(drill, stage)",
        caught_by=tests("cli/test_drill.py::test_a_drill_that_broke_nothing_fails"),
    ),
    Mutant(
        name="one person erases a customer",
        breaks="An erasure takes two persons.",
        file="workflows/erasure/requests.py",
        old="        if proposed.by == caller.actor:\n",
        new="        if proposed.by != proposed.by:\n",
        caught_by=tests("erasure/test_requests.py::test_the_person_who_proposed_it_cannot_approve_it"),
    ),
    Mutant(
        name="customer erased under an open order",
        breaks="A customer with open orders is not erased.",
        file="workflows/erasure/requests.py",
        old="    if plan.orders.open:\n",
        new="    if not plan.orders:\n",
        caught_by=tests(
            "erasure/test_requests.py::test_an_order_that_was_placed_after_the_proposal_refuses_the_approval"
        ),
    ),
    Mutant(
        name="blind indexes of an erased customer",
        breaks="An erasure empties the blind indexes itself: on AWS no message tells the projector of it.",
        file="workflows/projections/forgetting.py",
        old="            connection.execute(emptied)\n",
        new="            assert emptied is not None\n",
        caught_by=tests("erasure/test_requests.py::test_the_blind_indexes_go_without_the_projector"),
    ),
    Mutant(
        name="key of a restored backup",
        breaks="A key that was destroyed before is destroyed again before an engine runs.",
        file="workflows/embedded/engine.py",
        old="        destroy_again(erased.ids(), log, documents, keyring, clock)\n",
        new="",
        caught_by=tests(
            "erasure/test_nothing_is_left.py::test_a_restored_backup_from_before_is_erased_again_before_anything_runs"
        ),
    ),
    Mutant(
        name="open order archived",
        breaks="Only orders that have ended and owe nothing are archived.",
        file="workflows/embedded/archiving.py",
        old="    if order.run_state is not RunState.ENDED or owed(order):\n",
        new="    if order.run_state is not RunState.ENDED and owed(order) is None:\n",
        caught_by=tests("archive/test_archiving.py::test_orders_that_ended_long_ago_are_archived_and_the_others_stay"),
    ),
    Mutant(
        name="width in a picture without a bound",
        breaks="The picture of a time asks for at most a hundred digits.",
        file="workflows/asl/jsonata/bounded_library.py",
        old="    if width is not None and width > _WIDTH_MAX:\n",
        new="    if False:\n",
        caught_by=tests("asl/test_jsonata.py::test_work_is_counted_wherever_it_is_done[a width]"),
    ),
    Mutant(
        name="groups of a picture not counted",
        breaks="Each part of the picture of a time costs a scan of the text.",
        file="workflows/asl/jsonata/bounded_library.py",
        old="        count_scanned(len(text) * (self._compiled.groups + 1))\n",
        new="        count_scanned(len(text))\n",
        caught_by=tests("asl/test_jsonata.py::test_the_picture_of_a_time_that_reads_too_much_text_fails"),
    ),
    Mutant(
        name="time completed from the clock",
        breaks="Folding a journal on another day gives the same result.",
        file="workflows/asl/jsonata/bounded_library.py",
        old="        return CURRENT.evaluation.at.astimezone(UTC).replace(tzinfo=None)\n",
        new="        return datetime.now(UTC).replace(tzinfo=None)\n",
        caught_by=tests("asl/test_jsonata.py::test_a_time_without_a_day_is_completed_from_the_time_of_the_signal"),
    ),
    Mutant(
        name="variables of an execution without a quota",
        breaks="All variables of an execution together have a quota.",
        file="workflows/asl/interpreter/outcomes.py",
        old="    if turn.execution.assigned_bytes_with(frame.branch, sizes) > ALL_VARIABLES_BYTES_MAX:\n",
        new="    if False:\n",
        caught_by=tests("asl/test_limits.py::test_all_variables_together_have_a_quota"),
    ),
    Mutant(
        name="outputs of a Map without a bound",
        breaks="A Map with large outputs fails before it fills the memory.",
        file="workflows/asl/interpreter/containers.py",
        old="    if inside.output_size > _OUTPUTS_MAX:\n",
        new="    if False:\n",
        caught_by=tests("asl/test_limits.py::test_a_map_with_large_outputs_fails_before_it_fills_the_memory"),
    ),
    Mutant(
        name="an event beyond the quota of a history",
        breaks="The 25,000th event of an execution is its failure.",
        file="workflows/asl/interpreter/history.py",
        old="        if self.last_id >= EVENTS_MAX - 1 and kind not in _ENDS:\n",
        new="        if self.last_id >= EVENTS_MAX and kind not in _ENDS:\n",
        caught_by=tests("asl/test_limits.py::test_the_25_000th_event_is_the_failure"),
    ),
    Mutant(
        name="lookups of all hosts share the threads of requests",
        breaks="A name server that does not answer holds up its own endpoints alone.",
        file="workflows/publishing/webhooks/http_sender.py",
        old="        return lookup.result(self._within_s)\n",
        new="        return lookup.result()\n",
        caught_by=tests(
            "publishing/test_webhook_sender.py::test_a_name_server_that_does_not_answer_holds_up_its_own_requests_alone"
        ),
    ),
    Mutant(
        name="slow endpoint in every batch of a round",
        breaks="A slow endpoint does not hold up the backlog of the others.",
        file="workflows/publishing/webhooks/delivering.py",
        old="        batch = (quick if quick and attempted else due)[:AT_ONCE_MAX]\n",
        new="        batch = due[:AT_ONCE_MAX]\n",
        caught_by=tests(
            "publishing/test_webhook_delivering.py"
            "::test_a_slow_endpoint_does_not_hold_up_the_backlog_of_the_others_in_a_round"
        ),
    ),
    Mutant(
        name="unread response kept until its client reads",
        breaks="A closed connection with an unread response ends at its limit.",
        file="workflows/embedded/http/gentle_close.py",
        old="            if self._transport.get_write_buffer_size():\n",
        new="            if False:\n",
        caught_by=tests("embedded/test_connections.py::test_a_response_that_is_not_read_closes_the_connection"),
    ),
)
