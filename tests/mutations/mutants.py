"""The mutants. Each takes away one rule that an order's right end hangs on."""

from __future__ import annotations

from tests.mutations.mutant import Mutant, simulation, tests

WAITS = "simulation/test_waits_at_every_point.py"

MUTANTS = (
    Mutant(
        name="wait checked before it is registered",
        breaks="A wait is registered first, and then the log is read: the answer may have come in between.",
        file="workflows/saga.py",
        old="    ask()\n    wake(engine, step.order_id)\n    return {}\n",
        new="    ask()\n    return {}\n",
        caught_by=tests(f"{WAITS}::test_an_answer_is_heard_whenever_it_comes"),
    ),
    Mutant(
        name="check of a wait on a stale read",
        breaks="The check after registering reads the log again; what was read before it does not count.",
        file="workflows/saga.py",
        old="    ask()\n    wake(engine, step.order_id)\n    return {}\n",
        new="    ask()\n"
        "    if (found := answer(order, awaited, asked)) is not Answer.NONE:\n"
        "        settle(engine.executions, step.token, order, step.run, found)\n"
        "    return {}\n",
        caught_by=tests(f"{WAITS}::test_an_answer_is_heard_whenever_it_comes"),
    ),
    Mutant(
        name="wait deleted before it is woken",
        breaks="A wait is forgotten only after its task ended, or a crash between the two leaves it asleep.",
        file="workflows/waits.py",
        old="            settle(engine.executions, wait.token, order, wait.run, found)\n"
        "            forget(engine.documents, wait)\n",
        new="            forget(engine.documents, wait)\n"
        "            settle(engine.executions, wait.token, order, wait.run, found)\n",
        caught_by=tests(f"{WAITS}::test_who_is_to_be_woken_is_woken_though_the_process_dies_while_it_does"),
    ),
    Mutant(
        name="ticket sent before its intent",
        breaks="Intent before effect: the kitchen hears of an order in the commit after the one that asks for it.",
        file="workflows/steps/performing.py",
        old="            return authorize_payment(intent, version, order, engine.payments)\n",
        new="            send_ticket(PreparationRequested(), order.version + 2, order, engine.kitchen)\n"
        "            return authorize_payment(intent, version, order, engine.payments)\n",
        caught_by=simulation(0, 10),
    ),
    Mutant(
        name="money captured without an intent",
        breaks="A step performs open intents and nothing else.",
        file="workflows/steps/payment.py",
        old="    return PaymentAuthorized(\n",
        new="    payments.capture(\n"
        "        authorization_id=receipt.authorization_id,\n"
        "        amount=receipt.amount,\n"
        '        key=call_key(order, version) + "/capture",\n'
        "        timeout_s=TIMEOUT_S,\n"
        "    )\n"
        "    return PaymentAuthorized(\n",
        caught_by=simulation(0, 10),
    ),
    Mutant(
        name="outcome recorded that nobody asked for",
        breaks="An outcome names the intent it answers, and without one it is refused.",
        file="domain/deciding.py",
        old="        raise NotAsked(type(fact).__name__, fact.answers)\n",
        new="        return (fact,)\n",
        caught_by=tests("domain/test_paying.py::test_an_answer_to_a_question_never_asked_is_refused"),
    ),
    Mutant(
        name="answer to an older question accepted",
        breaks="Only an answer to the question that a wait names settles it.",
        file="domain/questions.py",
        old="    state = next((offer.state for offer in order.delivery.offers if offer.intent == asked), None)\n",
        new="    state = next((offer.state for offer in order.delivery.offers), None)\n",
        caught_by=simulation(0, 10),
    ),
    Mutant(
        name="answer of an earlier courier taken for the current offer",
        breaks="An answer counts for the intent that it names.",
        file="domain/delivery.py",
        old="            return _moved(delivery, event.answers, OfferState.ASSIGNED, event.courier)\n",
        new="            return _moved(delivery, delivery.offers[-1].intent, OfferState.ASSIGNED, event.courier)\n",
        caught_by=simulation(0, 10),
    ),
    Mutant(
        name="authorisation under a key per attempt",
        breaks="A key per intent: every attempt is the same call.",
        file="workflows/steps/payment.py",
        old="        amount=intent.amount,\n"
        "        key=call_key(order, version),\n"
        "        timeout_s=TIMEOUT_S,\n"
        "    )\n"
        "    if isinstance(receipt, Declined):\n",
        new="        amount=intent.amount,\n"
        "        key=f\"{call_key(order, version)}/{id(object()):x}-{__import__('uuid').uuid4()}\",\n"
        "        timeout_s=TIMEOUT_S,\n"
        "    )\n"
        "    if isinstance(receipt, Declined):\n",
        caught_by=simulation(0, 10),
    ),
    Mutant(
        name="fact refused on an ended order",
        breaks="Facts are never refused: what the outside did is recorded on an ended order too.",
        file="domain/deciding.py",
        old="    if isinstance(fact, ItemUnavailable) and not 1 <=",
        new="    if order.rest is Rest.ENDED:\n"
        "        raise OrderAlreadyEnded(order.order_id)\n"
        "    if isinstance(fact, ItemUnavailable) and not 1 <=",
        caught_by=simulation(0, 10),
    ),
    Mutant(
        name="reason not asked before compensating",
        breaks="A fault of ours undoes nothing: without a reason in the log the order is parked.",
        file="workflows/saga.py",
        old='    return {"reason": "completed" if order.rest is Rest.ENDED else "none"}\n',
        new="    if order.rest is not Rest.ENDED:\n"
        "        from domain.commands import CancelOrder\n"
        "\n"
        '        fault = CancelOrder(by=SYSTEM, reason="something failed")\n'
        '        key = f"CancelOrder/{step.run}"\n'
        "        handle(engine.log, fault, order_id=step.order_id, key=key, caller=_caller(step))\n"
        '        return {"reason": "cancelling"}\n'
        '    return {"reason": "completed"}\n',
        caught_by=simulation(0, 10),
    ),
    Mutant(
        name="ended order not reopened when it owes again",
        breaks="A fact that makes an ended order owe starts a new run in the same commit.",
        file="domain/consequences.py",
        old="    owes_again = order.rest is Rest.ENDED and bool(owed(order))\n",
        new="    owes_again = False\n",
        caught_by=simulation(0, 10),
    ),
    Mutant(
        name="echo answered before its fsync",
        breaks="Nothing shows a commit before its fsync: an echo tells of another's write.",
        file="workflows/embedded/group_commit.py",
        old="                self._perform(queued)\n",
        new="                self._perform(queued)\n"
        "                if queued.result is not None:\n"
        "                    batch = [other for other in batch if other is not queued]\n"
        "                    queued.settle()\n",
        caught_by=tests("log/test_sqlite_event_log.py"),
    ),
)
