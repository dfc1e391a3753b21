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
    Mutant(
        name="deliveries of an order shown to every service",
        breaks="A service sees deliveries to its own endpoints alone.",
        file="handlers/webhooks_api.py",
        old="[endpoint.id for endpoint in endpoints.visible(ports.documents, actor)]",
        new="[endpoint.id for endpoint in endpoints.stored_endpoints(ports.documents)]",
        caught_by=tests(
            "handlers/test_order_webhooks.py"
            "::test_support_sees_what_was_sent_about_an_order_and_a_service_what_was_sent_to_it"
        ),
    ),
    Mutant(
        name="payment not settled shown as stopped on purpose",
        breaks="Only a cancellation makes a step without a result no failure.",
        file="console/core/graphs.js",
        old="WITHOUT_RESULT.includes(error) && compensated",
        new="WITHOUT_RESULT.includes(error)",
        caught_by=tests("console/test_javascript.py::test_the_pure_part_of_the_console_keeps_its_rules"),
    ),
)
