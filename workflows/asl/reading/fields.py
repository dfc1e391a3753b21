"""Reading the fields of a state: check types and ranges, compile templates, and note every problem with its place.

Reading does not stop at a problem. It notes the problem and goes on with a default, so that one run finds all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from workflows.asl.jsonata.expressions import Expression, compile_expression
from workflows.asl.jsonata.limits import InvalidExpression
from workflows.asl.reading.templates import ListOf, Literal, ObjectOf, Query, Template, is_expression
from workflows.asl.signals import JSON

SECONDS_MAX: Final = 99_999_999  # TimeoutSeconds, HeartbeatSeconds, Seconds, IntervalSeconds, MaxAttempts
BEFORE: Final = frozenset({"", "input", "context"})  # fields of $states before there is a result
AFTER: Final = BEFORE | {"result"}
CAUGHT: Final = BEFORE | {"errorOutput"}
_STATES_FIELDS: Final = BEFORE | AFTER | CAUGHT

WHOLE_TEXT: Final = "text"
"""The field of a problem with a text that is no definition at all."""


@dataclass(frozen=True, slots=True)
class DefinitionProblem:
    """One problem. ``state`` is the path of the state (empty for the machine); ``what`` says what to do about it."""

    machine: str
    state: str
    field: str
    what: str

    @property
    def is_of_whole_text(self) -> bool:
        """Whether the text is no definition at all, so that it has no states and fields to name."""
        return self.field == WHOLE_TEXT

    def __str__(self) -> str:
        if self.is_of_whole_text:
            return f"{self.machine}: {self.what}"
        place = f"state '{self.state}'" if self.state else "the machine"
        return f"{self.machine}: {place}: {self.field}: {self.what}"


@dataclass(slots=True)
class Notes:
    """The problems found so far, and the paths of states by name. Names are unique in the whole machine."""

    machine: str
    can_call: Callable[[str], bool]
    problems: list[DefinitionProblem] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fields:
    """One object of the definition. ``prefix`` is its place in the state, e.g. ``Choices[1]/``."""

    notes: Notes
    state: str
    raw: Mapping[str, JSON]
    prefix: str = ""

    def problem(self, name: str, what: str) -> None:
        """Note a problem of this object's field ``name``."""
        self.notes.problems.append(DefinitionProblem(self.notes.machine, self.state, self.prefix + name, what))

    def check_names(self, allowed: frozenset[str], hints: Mapping[str, str]) -> None:
        """Note every field that is not allowed here, with the hint for its name if there is one."""
        for name in self.raw:
            if name not in allowed:
                self.problem(name, hints.get(name, f"is not a field here; allowed are {', '.join(sorted(allowed))}"))

    def text(self, name: str, *, required: bool = False) -> str | None:
        """Read a string that is not empty."""
        value = self.raw.get(name)
        if isinstance(value, str) and value:
            return value
        if value is not None or required:
            self.problem(name, "is required" if value is None else "must be a string that is not empty")
        return None

    def whole(self, name: str, low: int, high: int, default: int | None = None) -> int | None:
        """Read a whole number from ``low`` to ``high``."""
        if name not in self.raw:
            return default
        value = self.raw[name]
        if type(value) is not int or not low <= value <= high:
            self.problem(name, f"must be a whole number from {low} to {high}")
            return default
        return value

    def seconds(self, name: str, low: int) -> Template | None:
        """Read a whole number, at least ``low``, or an expression that gives one."""
        value = self.raw.get(name)
        if name in self.raw and is_expression(value):
            return self.template(name, BEFORE)
        number = self.whole(name, low, SECONDS_MAX)
        return None if number is None else Literal(number)

    def template(self, name: str, sees: frozenset[str]) -> Template | None:
        """Compile a field that may contain expressions. None if the field is absent.

        Args:
            sees: The fields of ``$states`` that have a value here.
        """
        if name not in self.raw:
            return None
        return self._compile(self.raw[name], name, sees)

    def query_or(self, name: str, sees: frozenset[str], kind: type, what: str) -> Template | None:
        """Compile a field that is an expression or a literal of ``kind``; ``what`` is the problem otherwise."""
        if name in self.raw and not is_expression(self.raw[name]) and type(self.raw[name]) is not kind:
            self.problem(name, what)
            return None
        return self.template(name, sees)

    def objects(self, name: str) -> Iterator[Fields]:
        """Iterate over the objects of a list."""
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
            if is_expression(text.strip()) or text.startswith("{%") != text.endswith("%}"):
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
    """Return the value if it is a list, else an empty list."""
    return value if isinstance(value, list) else []
