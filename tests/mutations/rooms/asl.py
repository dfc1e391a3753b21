"""Mutants of ``workflows/asl/``."""

from __future__ import annotations

from tests.mutations.mutant import Mutant, tests

BYTES = "embedded/test_bytes_after_fsync.py"

MUTANTS = (
    Mutant(
        name="width in a picture without a bound",
        breaks="The picture of a time asks for at most a hundred digits.",
        file="workflows/asl/jsonata/date_pictures.py",
        old="    if len(match[0]) > 9 or int(match[0]) > _WIDTH_MAX:\n",
        new="    if False:\n",
        caught_by=tests("asl/test_jsonata.py::test_work_is_counted_wherever_it_is_done[a width]"),
    ),
    Mutant(
        name="groups of a picture not counted",
        breaks="Each part of the picture of a time costs a scan of the text.",
        file="workflows/asl/jsonata/date_reading.py",
        old="    count_scanned(len(text) * (pattern.groups + 1))\n",
        new="    count_scanned(len(text))\n",
        caught_by=tests("asl/test_jsonata.py::test_the_picture_of_a_time_that_reads_too_much_text_fails"),
    ),
    Mutant(
        name="time completed from the clock",
        breaks="Folding a journal on another day gives the same result.",
        file="workflows/asl/jsonata/date_reading.py",
        old="    at = CalendarTime.of(millis())\n",
        new="    at = CalendarTime.of(__import__('time').time() * 1000)\n",
        caught_by=tests("asl/test_jsonata.py::test_a_time_without_a_day_is_completed_from_the_time_of_the_signal"),
    ),
    Mutant(
        name="a text that libyaml refuses is not read again",
        breaks="A definition of a journal is read whichever parser accepted it.",
        file="workflows/asl/reading/source.py",
        old="        return yaml.compose(text, Loader=yaml.SafeLoader)\n",
        new="        return yaml.compose(text, Loader=_libyaml_loader())\n",
        caught_by=tests("asl/test_definition_reads.py::test_a_text_that_only_pyyaml_accepts_is_read"),
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
        name="a redriven state with its old retries",
        breaks="The retries of a redriven execution are counted from zero.",
        file="workflows/asl/interpreter/containers.py",
        old="    frame.retries.clear()\n",
        new="",
        caught_by=tests("asl/test_redriving.py::test_retries_are_counted_from_zero"),
    ),
    Mutant(
        name="a redrive that runs branches again which had ended",
        breaks="A redrive goes on with the branches that did not end, and keeps the outputs of the others.",
        file="workflows/asl/interpreter/containers.py",
        old="    goes_on = frame.inside is not None and (",
        new="    goes_on = frame.inside is None and (",
        caught_by=tests("asl/test_redriving.py::test_only_branches_that_did_not_end_are_redriven"),
    ),
    Mutant(
        name="a redriven branch without its variables counted",
        breaks="The variables of a branch that goes on count against the quota of all variables again.",
        file="workflows/asl/interpreter/execution.py",
        old="            self.assigned_bytes += sum(branch.assigned_bytes.values())\n",
        new="",
        caught_by=tests("asl/test_redriving.py::test_the_variables_of_redriven_branches_count_once"),
    ),
    Mutant(
        name="a text as Payload sent as it is",
        breaks="A text as Payload is JSON text, as recorded on AWS.",
        file="workflows/asl/reading/integrations.py",
        old="    if not isinstance(value, str):\n        return {} if value is None else value\n",
        new="    if True:\n        return {} if value is None else value\n",
        caught_by=tests("asl/test_recorded.py::test_a_payload_text_is_json_text"),
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
        name="null counts as undefined in a list",
        breaks="Null is a value at every depth, and undefined is none.",
        file="workflows/asl/jsonata/path_evaluation.py",
        old="        if result is not UNDEFINED:\n            results.append(result)\n",
        new="        if result is not UNDEFINED and result is not None:\n            results.append(result)\n",
        caught_by=tests("asl/test_jsonata.py::test_nulls_are_values_at_every_depth"),
    ),
    Mutant(
        name="sort that swaps equal elements",
        breaks="$sort keeps the order of elements that its function does not distinguish.",
        file="workflows/asl/jsonata/list_functions.py",
        old="        if comes_after(left[at_left], right[at_right]):\n",
        new="        if not comes_after(right[at_right], left[at_left]):\n",
        caught_by=tests("asl/test_jsonata.py::test_expressions_give_json"),
    ),
    Mutant(
        name="texts of numbers with all digits",
        breaks="A number becomes a text of 15 digits at most, as in JSONata: 0.1 + 0.2 is 0.3.",
        file="workflows/asl/jsonata/operators.py",
        old="        rounded = fifteen_digits(value)\n",
        new="        rounded = double(value)\n",
        caught_by=tests("asl/test_jsonata.py::test_expressions_give_json"),
    ),
)
