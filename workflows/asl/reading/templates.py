"""Payload templates: JSON in which a string ``{% ... %}`` stands for the value of its expression.

Compiled once. A template without expressions is its own value; all others build only the objects and lists that contain
an expression.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

from workflows.asl.jsonata.evaluation import UNDEFINED, Names
from workflows.asl.jsonata.expressions import Expression
from workflows.asl.jsonata.limits import EvaluationFailed
from workflows.asl.signals import JSON


class QueryEvaluationError(Exception):
    """States.QueryEvaluationError.

    ``location`` is the field, as AWS writes it: ``Output/items[0]``; empty if no field of the state is at fault.
    """

    def __init__(self, location: str, cause: str) -> None:
        super().__init__(cause)
        self.location = location
        self.cause = cause

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.location, self.cause)


@dataclass(frozen=True, slots=True)
class Literal:
    """A value without expressions. It is shared, so it must not be changed."""

    value: JSON

    def render(self, _names: Names) -> JSON:
        """Return the value itself."""
        return self.value


@dataclass(frozen=True, slots=True)
class Query:
    """One expression and its field."""

    expression: Expression
    location: str

    def render(self, names: Names) -> JSON:
        """Evaluate the expression.

        Raises:
            QueryEvaluationError: The expression raised an error, or selected nothing.
        """
        try:
            value = self.expression.evaluate(names)
        except EvaluationFailed as error:
            raise self.failure(f"threw an error during evaluation. {error}") from error
        if value is UNDEFINED:
            raise self.failure("returned nothing (undefined).")
        return value  # type: ignore[return-value]  # UNDEFINED was raised above

    def failure(self, what: str) -> QueryEvaluationError:
        """Build the error of this field in AWS's words."""
        source = self.expression.source
        return QueryEvaluationError(
            self.location, f"The JSONata expression '{source}' specified for the field '{self.location}' {what}"
        )


@dataclass(frozen=True, slots=True)
class ObjectOf:
    """An object that contains an expression."""

    items: tuple[tuple[str, Template], ...]

    def render(self, names: Names) -> JSON:
        """Build a new object."""
        return {key: item.render(names) for key, item in self.items}


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list that contains an expression."""

    items: tuple[Template, ...]

    def render(self, names: Names) -> JSON:
        """Build a new list."""
        return [item.render(names) for item in self.items]


Template: TypeAlias = Literal | Query | ObjectOf | ListOf


def is_expression(text: object) -> bool:
    """Whether a value is a string ``{% ... %}``, from its first to its last character."""
    return isinstance(text, str) and len(text) >= 4 and text.startswith("{%") and text.endswith("%}")
