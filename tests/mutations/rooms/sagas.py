"""Mutants of ``workflows/sagas/``."""

from __future__ import annotations

from tests.mutations.mutant import Mutant, simulation, tests

WAITS = "simulation/test_waits_at_every_point.py"
RESTART_LAW = "sagas/test_restart_law.py::test_a_new_run_brings_every_prefix_of_every_history_to_its_right_end"

MUTANTS = (
    Mutant(
        name="run goes on without a hold",
        breaks="Without an authorization, or while the order is being cancelled, a run does not go to the kitchen.",
        file="workflows/sagas/actions.py",
        old="    if not held or order.cancellation is not None:\n        raise PaymentNotAuthorized",
        new="    if not held and order.cancellation is None:\n        raise PaymentNotAuthorized",
        caught_by=tests(
            "sagas/test_performing.py::test_a_run_goes_no_further_without_a_hold_or_while_it_is_being_cancelled"
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
        name="run not checked in a step",
        breaks="A run that was superseded makes no decisions.",
        file="workflows/sagas/actions.py",
        old="    if step.run < order.run:\n",
        new="    if False:\n",
        caught_by=tests(f"{RESTART_LAW}[0-beside a zombie of the run before]"),
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
        name="capture of the authorised amount instead of the price of the delivered items",
        breaks="A step takes its amount from the intent.",
        file="workflows/sagas/steps/payment.py",
        old="        authorization_id=intent.authorization_id,\n        amount=intent.amount,\n",
        new="        authorization_id=intent.authorization_id,\n        amount=order.payment.authorization.amount,\n",
        caught_by=tests("sagas/test_happy_path.py::test_unavailable_items_are_not_charged"),
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
        name="new run not started after its commit",
        breaks="The runs that began in a commit are started.",
        file="workflows/sagas/runs.py",
        old="            return event.run\n",
        new="            return None\n",
        caught_by=tests("sagas/test_runs.py::test_each_run_is_started_once_by_its_name"),
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
)
