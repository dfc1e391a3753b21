"""The reference implementation of JSONata, in one process of node that answers many expressions.

``make setup`` fetches it (npm's ``jsonata`` at the version that Step Functions documents). Tests skip without it or
without node.
"""

from __future__ import annotations

import json
import re
import select
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from workflows.asl.jsonata.dice import Dice
from workflows.asl.jsonata.evaluation import CURRENT, UNDEFINED, Evaluation, Names
from workflows.asl.jsonata.evaluator import Evaluator
from workflows.asl.jsonata.expressions import compile_expression
from workflows.asl.jsonata.function_values import VariableScope
from workflows.asl.jsonata.limits import EvaluationFailed, InvalidExpression
from workflows.asl.jsonata.parsing import parse
from workflows.asl.jsonata.registry import BUILT_INS
from workflows.asl.jsonata.results import to_json
from workflows.asl.jsonata.values import Sequence

REPOSITORY = Path(__file__).parents[2]
LIBRARY = REPOSITORY / ".tools" / "console" / "jsonata-2.0.6" / "jsonata.js"
PROGRAM = Path(__file__).with_name("jsonata_reference.mjs")
NODE = shutil.which("node") or str(REPOSITORY / ".tools" / "node" / "bin" / "node")
WITHIN_S = 10
AT = datetime(2026, 3, 14, 15, 9, 26, 535000, tzinfo=UTC)


def missing() -> str | None:
    """Return why there is no reference here, or None."""
    if not LIBRARY.exists():
        return "the reference implementation of JSONata is not here: make setup fetches it"
    return None if Path(NODE).exists() else "there is no node to run the reference implementation of JSONata"


class Whole(Sequence):
    """An input that is a list: the reference reads it as one item, and ``$`` as the list."""


class Reference:
    """A process that evaluates expressions."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def answer(
        self, source: str, variables: dict[str, Any], within_s: float = WITHIN_S, context: Any = UNDEFINED
    ) -> Any:
        """Evaluate an expression and return its outcome, in the form of ``ours``."""
        process = self._process = self._process or self._started()
        assert process.stdin is not None
        assert process.stdout is not None
        line = {"source": source, "variables": variables, **({} if context is UNDEFINED else {"input": context})}
        process.stdin.write(json.dumps(line) + "\n")
        process.stdin.flush()
        if not select.select([process.stdout], [], [], within_s)[0]:
            self.close()
            return ("endless",)
        return _outcome(json.loads(process.stdout.readline()))

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def _started(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [NODE, str(PROGRAM), str(LIBRARY)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )


def _outcome(answer: dict[str, Any]) -> Any:
    if "value" in answer:
        return ("value", exactly(answer["value"]))
    if "code" in answer:
        return ("error", answer["code"], answer["message"])
    return ("function",) if "function" in answer else ("undefined",)


def ours(source: str, variables: dict[str, Any]) -> Any:
    """Evaluate an expression as the engine does, and return its outcome: a value, an error or undefined."""
    states = variables.get("states", {})
    others = {name: value for name, value in variables.items() if name != "states"}
    return _attempt(lambda: compile_expression(source).evaluate(Names(others, states, AT, Dice("s"))))


def ours_on(source: str, variables: dict[str, Any], context: Any) -> Any:
    """Evaluate an expression by the evaluator on an input, which expressions of machines do not have."""
    return _attempt(lambda: _evaluated(source, variables, context))


def _evaluated(source: str, variables: dict[str, Any], context: Any) -> Any:
    tree = parse(source)
    scope = VariableScope({"$": context, **variables}, VariableScope(BUILT_INS))
    evaluation = CURRENT.evaluation = Evaluation(Names({}, {}, AT, Dice("s")))
    item = Whole([context]) if isinstance(context, list) else context
    try:
        return to_json(Evaluator(evaluation).evaluate(tree, item, VariableScope({}, scope)))
    except RecursionError:
        raise EvaluationFailed("Stack overflow error") from None
    finally:
        CURRENT.evaluation = None


def _attempt(evaluate: Callable[[], Any]) -> Any:
    try:
        value = evaluate()
    except (EvaluationFailed, InvalidExpression) as error:
        if "the result is a function" in str(error):
            return ("function",)
        code, colon, sentence = str(error).partition(": ")
        if not (colon and re.fullmatch(r"[STD]\d{4}", code)):
            return ("error", None, str(error))
        return ("error", code, re.sub(r", at character \d+ of '.*'$", "", sentence, flags=re.DOTALL))
    return ("undefined",) if value is UNDEFINED else ("value", exactly(value))


def exactly(value: Any) -> Any:
    """Make values comparable: numbers as doubles and apart from booleans, objects without the order of their fields."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, int | float):
        return ("number", float(value))
    if isinstance(value, list):
        return [exactly(item) for item in value]
    return {name: exactly(item) for name, item in value.items()}
