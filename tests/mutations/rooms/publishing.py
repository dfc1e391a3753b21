"""Mutants of ``workflows/publishing/``."""

from __future__ import annotations

from tests.mutations.mutant import Mutant, simulation, tests

MUTANTS = (
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
)
