"""JSONata as Step Functions evaluates it: ``$states``, variables, and nothing that is not JSON.

Expressions are compiled once and shared by all threads; the state of an evaluation is kept per thread while it runs.
Time and random numbers come from the signal, so the same journal gives the same results. An expression that does not
end fails instead: it may nest 100 levels (AWS's own bound), take a bounded number of evaluation steps and make a
bounded amount of data. A clock as the bound would not be deterministic.

Everyday expressions are compiled to closures. The library evaluates all others, and defines the meaning of all.
"""

from __future__ import annotations

from functools import lru_cache

from workflows.asl.jsonata.evaluation import CURRENT, Evaluation, Names, Undefined
from workflows.asl.jsonata.limits import DEPTH_MAX, EvaluationFailed, Unusual
from workflows.asl.signals import JSON


class Expression:
    """One compiled expression. It never changes and may be evaluated from many threads at once.

    ``problems`` are sentences; ``states_fields`` are the fields of ``$states`` that the expression reads.
    """

    __slots__ = ("_closure", "_compiled", "problems", "source", "states_fields")

    def __init__(self, source: str) -> None:
        from workflows.asl.jsonata import library  # imported late: only processes that run machines need it
        from workflows.asl.jsonata.checks import inspect
        from workflows.asl.jsonata.closures import compile_closure

        self.source = source
        self._compiled = library.parse(source)
        findings = inspect(self._compiled.ast)
        self.problems = findings.problems
        self.states_fields = findings.states_fields
        self._closure = compile_closure(self._compiled.ast)

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
        return self.evaluate_by_library(names)

    def evaluate_by_library(self, names: Names) -> JSON | Undefined:
        """Evaluate with the library alone, which defines the meaning of an expression."""
        from workflows.asl.jsonata import library

        if names.frame is None:
            names.frame = library.frame_of(names.variables, names.states)
        evaluation = CURRENT.evaluation = Evaluation(names)
        try:
            return library.to_json(library.run(self._compiled, names.frame))
        except EvaluationFailed:
            raise
        except RecursionError:
            raise EvaluationFailed(f"Stack overflow error: Depth={evaluation.depth} max={DEPTH_MAX}") from None
        except Exception as error:  # the library raises any Python error; the state sees one kind
            raise EvaluationFailed(_describe(error)) from error
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


def _describe(error: Exception) -> str:
    code = getattr(error, "error", None)
    if isinstance(error, ZeroDivisionError | OverflowError):
        return "D1001: Number out of range"
    return f"{code}: {error}" if code else (str(error) or type(error).__name__)
