"""How the fields of a state are read: types, ranges and templates checked, every fault noted with its place.

Reading never stops at a fault: it notes the problem and goes on with a stand-in, so that one run names all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from workflows.asl.jsonata.expressions import Expression, InvalidExpression, compile_expression
from workflows.asl.reading.templates import ListOf, Literal, ObjectOf, Query, Template, is_expression
from workflows.asl.signals import JSON

SECONDS_MAX: Final = 99_999_999  # TimeoutSeconds, HeartbeatSeconds, Seconds, IntervalSeconds, MaxAttempts
BEFORE: Final = frozenset({"", "input", "context"})  # what $states holds before there is a result
AFTER: Final = BEFORE | {"result"}
CAUGHT: Final = BEFORE | {"errorOutput"}
_STATES_FIELDS: Final = BEFORE | AFTER | CAUGHT


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault: ``state`` is its path (empty for the machine), ``field`` where in it, ``what`` says what to do."""

    machine: str
    state: str
    field: str
    what: str

    def __str__(self) -> str:
        place = f"state '{self.state}'" if self.state else "the machine"
        return f"{self.machine}: {place}: {self.field}: {self.what}"


@dataclass(slots=True)
class Notes:
    """The problems found so far, and the names of states seen, which are unique in a whole machine."""

    machine: str
    problems: list[Problem] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fields:
    """One object of the definition under reading. ``prefix`` is its place in the state, e.g. ``Choices[1]/``."""

    notes: Notes
    state: str
    raw: Mapping[str, JSON]
    prefix: str = ""

    def problem(self, name: str, what: str) -> None:
        """Note a fault of this object."""
        self.notes.problems.append(Problem(self.notes.machine, self.state, self.prefix + name, what))

    def check_names(self, allowed: frozenset[str], hints: Mapping[str, str]) -> None:
        """Refuse every field that is not known."""
        for name in self.raw:
            if name not in allowed:
                self.problem(name, hints.get(name, f"is not a field here; allowed are {', '.join(sorted(allowed))}"))

    def text(self, name: str, *, required: bool = False) -> str | None:
        """A plain string."""
        value = self.raw.get(name)
        if isinstance(value, str) and value:
            return value
        if value is not None or required:
            self.problem(name, "is required" if value is None else "must be a string that is not empty")
        return None

    def whole(self, name: str, low: int, high: int, default: int | None = None) -> int | None:
        """A whole number within a range."""
        if name not in self.raw:
            return default
        value = self.raw[name]
        if type(value) is not int or not low <= value <= high:
            self.problem(name, f"must be a whole number from {low} to {high}")
            return default
        return value

    def seconds(self, name: str, low: int) -> Template | None:
        """A whole number of seconds, or an expression that gives one."""
        value = self.raw.get(name)
        if name in self.raw and is_expression(value):
            return self.template(name, BEFORE)
        number = self.whole(name, low, SECONDS_MAX)
        return None if number is None else Literal(number)

    def template(self, name: str, sees: frozenset[str]) -> Template | None:
        """Any JSON with expressions, or None where the field is absent."""
        if name not in self.raw:
            return None
        return self._compile(self.raw[name], name, sees)

    def query_or(self, name: str, sees: frozenset[str], kind: type, what: str) -> Template | None:
        """An expression, or a literal of the type."""
        if name in self.raw and not is_expression(self.raw[name]) and type(self.raw[name]) is not kind:
            self.problem(name, what)
            return None
        return self.template(name, sees)

    def objects(self, name: str) -> Iterator[Fields]:
        """The objects of a list."""
        value = self.raw.get(name, [])
        if not isinstance(value, list):
            self.problem(name, "must be a list")
            return
        for index, item in enumerate(value):
            if isinstance(item, dict):
                yield Fields(self.notes, self.state, item, f"{self.prefix}{name}[{index}]/")
            else:
                self.problem(f"{name}[{index}]", "must be an object")

    def _compile(self, value: JSON, name: str, sees: frozenset[str]) -> Template:
        if isinstance(value, str):
            return self._compile_text(value, name, sees)
        if isinstance(value, dict):
            items = tuple((key, self._compile(item, f"{name}/{key}", sees)) for key, item in value.items())
            return Literal(value) if all(isinstance(item, Literal) for _, item in items) else ObjectOf(items)
        if isinstance(value, list):
            elements = tuple(self._compile(item, f"{name}[{index}]", sees) for index, item in enumerate(value))
            return Literal(value) if all(isinstance(item, Literal) for item in elements) else ListOf(elements)
        return Literal(value)

    def _compile_text(self, text: str, name: str, sees: frozenset[str]) -> Template:
        if not is_expression(text):
            if "{%" in text or "%}" in text:
                self.problem(name, "an expression is the whole string, from '{%' to '%}' without spaces around them")
            return Literal(text)
        source = text[2:-2].strip()
        try:
            expression = compile_expression(source)
        except InvalidExpression as error:
            self.problem(name, f"is not JSONata: {error}")
            return Literal(None)
        self._check_expression(expression, name, sees)
        return Query(expression, self.prefix + name)

    def _check_expression(self, expression: Expression, name: str, sees: frozenset[str]) -> None:
        for what in expression.problems:
            self.problem(name, what)
        for states_field in sorted(expression.states_fields - sees):
            if states_field in _STATES_FIELDS:
                self.problem(name, f"$states.{states_field} has no value here")
            else:
                known = "input, result, errorOutput and context"
                self.problem(name, f"$states has no field '{states_field}'; it has {known}")


def as_list(value: Any) -> list[Any]:
    """The list itself, or nothing."""
    return value if isinstance(value, list) else []
