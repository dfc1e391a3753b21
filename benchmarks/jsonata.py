"""JSONata: microseconds of one evaluation, compiled to closures and by the evaluator, for expressions of the machines.

Every expression of ``statemachines/`` is evaluated on a context object like that of a real task. The rows show the
median over all of them, and the expressions of each kind by themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from statistics import median
from typing import Any

import yaml

from benchmarks.interleaved import Timing, block, interleaved
from benchmarks.options import options
from benchmarks.results import ROOT, Beside, Row, publish
from workflows.asl.jsonata.dice import Dice
from workflows.asl.jsonata.evaluation import Names
from workflows.asl.jsonata.expressions import compile_expression

AT = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
INPUT = {"order_id": "ord_7w4jz2p5k3x6v8q9t2m4n6b8c2", "run": 1}
STATES: dict[str, Any] = {
    "context": {
        "Execution": {"Input": INPUT, "Name": "ord_7w4jz2p5k3x6v8q9t2m4n6b8c2-1"},
        "State": {"Name": "AwaitPickup", "RetryCount": 0},
        "Task": {"Token": "t" * 150},
    },
    "input": {
        **INPUT,
        "reason": "completed",
        "outcome": "authorized",
        "waited": "await_pickup",
        "Error": "Boom",
        "Cause": "c",
    },
    "result": {"Payload": {"reason": "completed"}, "Status": "SUCCEEDED", "Output": '{"outcome": "authorized"}'},
    "errorOutput": {"Error": "Boom", "Cause": "why"},
}
KINDS: dict[str, Callable[[str], bool]] = {
    "all": lambda source: True,
    "paths": lambda source: source.replace("$", "").replace(".", "").isidentifier(),
    "$merge": lambda source: source.startswith("$merge"),
    "comparisons": lambda source: " = " in source and "?" not in source,
    "&": lambda source: "&" in source,
    "? :": lambda source: "?" in source,
}


def main() -> None:
    chosen = options(__doc__)
    timings = {source: _timed(source, chosen.size(9, 2), chosen.size(400, 100)) for source in expressions()}
    rows = [_row(kind, [timings[source] for source in timings if holds(source)]) for kind, holds in KINDS.items()]
    publish("jsonata", rows, quick=chosen.quick, as_json=chosen.json)


def expressions() -> list[str]:
    """Collect the expressions of the machines, without those that hold placeholders."""
    files = sorted((ROOT / "statemachines").glob("*.yaml"))
    return sorted({source for file in files for source in _expressions_of(yaml.safe_load(file.read_text()))})


def _expressions_of(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [source for item in value.values() for source in _expressions_of(item)]
    if isinstance(value, list):
        return [source for item in value for source in _expressions_of(item)]
    is_expression = isinstance(value, str) and value.startswith("{%") and "${" not in value
    return [value[2:-2].strip()] if is_expression else []


def _timed(source: str, rounds: int, calls: int) -> dict[str, Timing]:
    expression = compile_expression(source)
    contenders = {
        "compiled": lambda count: block(lambda: _evaluate(expression.evaluate), count),
        "evaluator": lambda count: block(lambda: _evaluate(expression.evaluate_fully), count),
    }
    return interleaved(contenders, rounds=rounds, calls=calls)


def _evaluate(evaluate: Callable[[Names], Any]) -> Callable[[], object]:
    names = Names({}, STATES, AT, Dice("seed"))
    return lambda: evaluate(names)


def _row(kind: str, timings: list[dict[str, Timing]]) -> Row:
    compiled = [timing["compiled"] for timing in timings]
    evaluator = [timing["evaluator"] for timing in timings]
    return Row(
        name=f"one evaluation: {kind} ({len(timings)} expressions)",
        value=median(timing.wall_us for timing in compiled),
        unit="us",
        peer=Beside("evaluator alone", median(timing.wall_us for timing in evaluator)),
        ratio=median(ours.wall_ratio(theirs) for ours, theirs in zip(compiled, evaluator, strict=True)),
    )


if __name__ == "__main__":
    main()
