"""Mutants of ``workflows/erasure/``."""

from __future__ import annotations

from tests.mutations.mutant import Mutant, tests

MUTANTS = (
    Mutant(
        name="one person erases a customer",
        breaks="An erasure takes two persons.",
        file="workflows/erasure/requests.py",
        old="    if proposed.by == caller.actor:\n",
        new="    if proposed.by != proposed.by:\n",
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
        name="erasure with views behind the log",
        breaks="An erasure is refused while the views may lack orders of the customer.",
        file="workflows/erasure/holdings.py",
        old="        if position >= newest:\n",
        new="        if position >= 0:\n",
        caught_by=tests(
            "erasure/test_requests.py::test_views_that_stay_behind_refuse_every_step_before_anything_is_recorded"
        ),
    ),
)
