"""Mutants of ``workflows/orders/``."""

from __future__ import annotations

from tests.mutations.mutant import Mutant, tests

MUTANTS = (
    Mutant(
        name="watchdog acts on parked orders",
        breaks="Only a person acts on a parked order.",
        file="workflows/orders/waiting.py",
        old="    if order.run_state is not RunState.RUNNING or order.placed is None:\n",
        new="    if order.placed is None:\n",
        caught_by=tests("upkeep/test_watchdog.py::test_a_parked_order_is_never_touched"),
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
        old="for name, seen_by in VISIBILITY[kind].fields.items() if audience in seen_by)\n",
        new="for name, seen_by in VISIBILITY[kind].fields.items() if seen_by)\n",
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
        name="trace of a saga lost",
        breaks="What the sagas record for an order carries the trace of the request that placed it.",
        file="workflows/orders/command_handling.py",
        old='caller.correlation or (history.recorded[0].correlation if history.recorded else "")',
        new="caller.correlation",
        caught_by=tests("runs/test_traces.py"),
    ),
    Mutant(
        name="run started outside the trace of its order",
        breaks="An execution joins the trace of the request that placed the order.",
        file="workflows/sagas/runs.py",
        old="follow(history.recorded[0].correlation)",
        new='follow("")',
        caught_by=tests(
            "runs/test_traces.py::test_starts_and_calls_to_providers_are_made_in_the_trace_of_the_first_request"
        ),
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
        name="words of a name in the order in which it has them",
        breaks="The columns of a name's indexes tell nothing of the order of its words.",
        file="workflows/orders/blind_index.py",
        old="return tuple(sorted(index for index in found if index is not None)[:_NAME_WORDS_MAX])",
        new="return tuple([index for index in found if index is not None][:_NAME_WORDS_MAX])",
        caught_by=tests("search/test_lists.py::test_the_order_of_a_row_s_indexes_tells_nothing_of_the_words"),
    ),
    Mutant(
        name="name that is found by the whole alone",
        breaks="An order is found by each word of the name.",
        file="workflows/orders/blind_index.py",
        old='found = [self._index("word", word) for word in long] if long else',
        new='found = [self._index("word", " ".join(sorted(long)))] if long else',
        caught_by=tests("search/test_lists.py::test_an_order_is_found_by_the_words_of_its_name"),
    ),
)
