"""Mutants of ``workflows/incidents/``."""

from __future__ import annotations

from tests.mutations.mutant import Mutant, tests

MUTANTS = (
    Mutant(
        name="bulk job begun with any token",
        breaks="A bulk job begins only with the token of a plan that still holds.",
        file="workflows/incidents/bulk_actions.py",
        old="    if token != planned.token:\n",
        new="    if not token:\n",
        caught_by=tests("incidents/test_bulk_jobs.py"),
    ),
    Mutant(
        name="bulk credit done before its refund",
        breaks="The outcome of a credit on a completed order is that of its refund.",
        file="workflows/incidents/bulk_steps.py",
        old="if order.run_state is RunState.RUNNING and not order.delivery.delivered:",
        new="if order.run_state is RunState.RUNNING:",
        caught_by=tests("incidents/test_bulk_jobs.py"),
    ),
    Mutant(
        name="one plan, two bulk jobs",
        breaks="A plan begins one job, whatever the keys of the requests.",
        file="workflows/incidents/bulk_store.py",
        old="claimed.job_id != job_id:",
        new="claimed.job_id == job_id:",
        caught_by=tests("incidents/test_bulk_jobs.py"),
    ),
    Mutant(
        name="bulk retry goes on while its provider is down",
        breaks="Retries of a group stop when the circuit of their provider opens again.",
        file="workflows/incidents/bulk_actions.py",
        old="and len(providers) == 1 else None",
        new="and not providers else None",
        caught_by=tests("incidents/test_bulk_of_a_group.py"),
    ),
    Mutant(
        name="incidents of later in the job of a plan",
        breaks="A plan of a group is about the orders that it listed, not about those parked since.",
        file="workflows/incidents/bulk_actions.py",
        old="if until is None or now.since <= until",
        new="if now.since",
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
        name="plan of a credit with calls that are open already",
        breaks="A plan lists the calls that follow from the action, and no others of a run that goes on.",
        file="workflows/incidents/plans.py",
        old="if call.version > order.version or not goes_on)",
        new="if call.version)",
        caught_by=tests("incidents/test_credits.py"),
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
)
