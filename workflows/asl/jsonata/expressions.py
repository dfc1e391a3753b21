"""JSONata as Step Functions evaluates it: ``$states``, variables, and nothing that is not JSON.

Expressions are compiled once and shared by all threads; the state of an evaluation is kept per thread while it runs.
Time and random numbers come from the signal, so the same journal gives the same results. An expression that does not
end fails instead: it may nest 100 levels (AWS's own bound), take a bounded number of evaluation steps and make a
bounded amount of data. A clock as the bound would not be deterministic.

The evaluator defines the meaning of every expression: that of JSONata 2.0.6, as Step Functions documents it. Everyday
expressions are also compiled to closures, which give the same in a fraction of the time.
"""

from __future__ import annotations

from functools import lru_cache

from workflows.asl.jsonata.evaluation import CURRENT, UNDEFINED, Evaluation, Names, Undefined
from workflows.asl.jsonata.limits import DEPTH_MAX, EvaluationFailed, Unusual
from workflows.asl.signals import JSON


class Expression:
    """One compiled expression. It never changes and may be evaluated from many threads at once.

    ``problems`` are sentences; ``states_fields`` are the fields of ``$states`` that the expression reads.
    """

    __slots__ = ("_closure", "_tree", "problems", "source", "states_fields")

    def __init__(self, source: str) -> None:
        from workflows.asl.jsonata.checks import inspect  # imported late: only processes that run machines need it
        from workflows.asl.jsonata.closures import compile_closure
        from workflows.asl.jsonata.parsing import parse

        self.source = source
        self._tree = parse(source)
        findings = inspect(self._tree)
        self.problems = findings.problems
        self.states_fields = findings.states_fields
        self._closure = compile_closure(self._tree)

    def evaluate(self, names: Names) -> JSON | Undefined:
        """Evaluate to plain JSON, or to UNDEFINED where the expression selects nothing.

        Raises:
            EvaluationFailed: JSONata raised an error, the result is not JSON, or a limit was exceeded.
        """
        if self._closure is not None:
            try:
                value: JSON | Undefined = self._closure(names)
            except Unusual:
                pass
            else:
                names.count_text(value)
                return value
        return self.evaluate_fully(names)

    def evaluate_fully(self, names: Names) -> JSON | Undefined:
        """Evaluate without closures, which defines the meaning of the expression."""
        from workflows.asl.jsonata.evaluator import Evaluator
        from workflows.asl.jsonata.function_values import VariableScope
        from workflows.asl.jsonata.registry import BUILT_INS
        from workflows.asl.jsonata.results import to_json

        scope = VariableScope({"states": names.states}, VariableScope(names.variables, VariableScope(BUILT_INS)))
        evaluation = CURRENT.evaluation = Evaluation(names)
        try:
            return to_json(Evaluator(evaluation).evaluate(self._tree, UNDEFINED, VariableScope({}, scope)))
        except RecursionError:
            raise EvaluationFailed(f"Stack overflow error: Depth={evaluation.depth} max={DEPTH_MAX}") from None
        except EvaluationFailed:
            raise
        except Exception as error:  # a fault of the evaluator fails the state, and not the engine
            raise EvaluationFailed(f"{type(error).__name__}: {error}") from error
        finally:
            CURRENT.evaluation = None
            names.allocated += evaluation.allocated


@lru_cache(maxsize=4096)
def compile_expression(source: str) -> Expression:
    """Compile an expression, once for every source text.

    Raises:
        InvalidExpression: With JSONata's own message.
    """
    return Expression(source)
