"""Mutants of ``handlers/``."""

from __future__ import annotations

from tests.mutations.mutant import Mutant, simulation, tests

MUTANTS = (
    Mutant(
        name="published event acknowledged before its deliveries are stored",
        breaks="A message leaves the queue only after its deliveries are stored.",
        file="handlers/queue_batches.py",
        old="        failed += readable\n",
        new="        failed += []\n",
        caught_by=simulation(0, 10),
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
        name="key opened for an answer without the order",
        breaks="A customer's key is opened only where a personal field is shown or stored.",
        file="handlers/http/order_writes.py",
        old="    log = ports.log_without_keys if minimal and not seals else ports.log\n",
        new="    log = ports.log\n",
        caught_by=tests("handlers/test_reporting.py::test_reports_that_prefer_a_minimal_answer_open_no_key"),
    ),
    Mutant(
        name="query run before it is recorded",
        breaks="Each query is recorded before it runs, also one that is refused.",
        file="handlers/queries_api.py",
        old="    record_audit_read(ports.log, caller, route=ROUTE, request=body.sql, at=ports.clock.now())\n",
        new="",
        caught_by=tests("queries/test_queries.py::test_a_query_is_recorded_before_it_runs"),
    ),
)
