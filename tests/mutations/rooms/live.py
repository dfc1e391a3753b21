"""Mutants of ``workflows/live/``."""

from __future__ import annotations

from tests.mutations.mutant import Mutant, simulation, tests

MUTANTS = (
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
        name="order on a socket without a record of the read",
        breaks="Nothing personal leaves a socket before the record of the read.",
        file="workflows/live/subscriptions.py",
        old="            return False\n        return True\n",
        new="            return True\n        return True\n",
        caught_by=tests("live/test_shown.py"),
    ),
    Mutant(
        name="live state folded twice",
        breaks="A message shows the order as it was at its version.",
        file="workflows/live/order_now.py",
        old="past.events_after(before)",
        new="past.events_after(0)",
        caught_by=tests("live/test_order_now.py"),
    ),
    Mutant(
        name="reason of a close left behind",
        breaks="A socket is closed after the frames that were written before.",
        file="workflows/embedded/http/gathered_writes.py",
        old="        self._pass_on()\n        self._transport.close()",
        new="        self._transport.close()",
        caught_by=tests("embedded/test_gathered_writes.py"),
    ),
)
