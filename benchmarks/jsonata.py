"""JSONata: microseconds of one evaluation, compiled to closures and by the evaluator, for expressions of the machines.

Every expression of ``statemachines/`` is evaluated on a context object like that of a real task. The rows show the
median over all of them, and the expressions of each kind by themselves. Beside them stands the reference implementation
(npm's ``jsonata``, fetched by ``make setup``) on node, timed in its own process; without node, the evaluator alone.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from statistics import median
from typing import Any

from benchmarks.interleaved import Timing, block, interleaved
from benchmarks.options import options
from benchmarks.results import ROOT, Beside, Row, publish
from workflows.asl.jsonata.dice import Dice
from workflows.asl.jsonata.evaluation import Names
from workflows.asl.jsonata.expressions import compile_expression
from workflows.asl.reading.source import read

LIBRARY = ROOT / ".tools" / "console" / "jsonata-2.0.6" / "jsonata.js"
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
}


def main() -> None:
    chosen = options(__doc__)
    rounds, calls = chosen.size(9, 2), chosen.size(400, 100)
    sources = expressions()
    timings = {source: _timed(source, rounds, calls) for source in sources}
    reference = _reference(sources, rounds, calls)
    rows = [
        _row(kind, [source for source in sources if holds(source)], timings, reference) for kind, holds in KINDS.items()
    ]
    rows.append(_evaluator_row(sources, timings, reference))
    publish("jsonata", rows, quick=chosen.quick, as_json=chosen.json)


def expressions() -> list[str]:
    """Collect the expressions of the machines, without those that hold placeholders."""
    files = sorted((ROOT / "statemachines").glob("*.yaml"))
    return sorted({source for file in files for source in _expressions_of(read(file.read_text()))})


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


def _reference(sources: list[str], rounds: int, calls: int) -> dict[str, float]:
    """Time the reference implementation, in microseconds by expression; empty where it or node is missing."""
    node = shutil.which("node")
    if node is None or not LIBRARY.exists():
        return {}
    asked = {"library": str(LIBRARY), "expressions": sources, "states": STATES, "rounds": rounds, "calls": calls}
    command = [node, str(ROOT / "benchmarks" / "peers" / "jsonata_reference.mjs")]
    answered = subprocess.run(command, input=json.dumps(asked), capture_output=True, text=True, check=True)
    medians = zip(sources, json.loads(answered.stdout), strict=True)
    return {source: wall_us for source, wall_us in medians if wall_us is not None}


def _row(kind: str, sources: list[str], timings: dict[str, dict[str, Timing]], reference: dict[str, float]) -> Row:
    compiled = {source: timings[source]["compiled"].wall_us for source in sources}
    beside = {source: reference[source] for source in sources if source in reference}
    name = "reference on node"
    if not beside:
        beside, name = {source: timings[source]["evaluator"].wall_us for source in sources}, "evaluator alone"
    return Row(
        name=f"one evaluation: {kind} ({len(sources)} expressions)",
        value=median(compiled.values()),
        unit="us",
        peer=Beside(name, median(beside.values())),
        ratio=median(compiled[source] / beside[source] for source in beside),
    )


def _evaluator_row(sources: list[str], timings: dict[str, dict[str, Timing]], reference: dict[str, float]) -> Row:
    """Show what an expression takes that is not compiled to closures."""
    evaluator = {source: timings[source]["evaluator"].wall_us for source in sources}
    return Row(
        name=f"one evaluation: all, by the evaluator alone ({len(sources)} expressions)",
        value=median(evaluator.values()),
        unit="us",
        peer=Beside("reference on node", median(reference.values())) if reference else None,
        ratio=median(evaluator[source] / reference[source] for source in reference) if reference else None,
    )


if __name__ == "__main__":
    main()
