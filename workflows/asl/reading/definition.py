"""Read a state machine: JSON or YAML text in, a frozen ``Definition`` out, or a list of all its problems.

A definition that is accepted runs exactly as on AWS. Everything else is refused here, naming machine, state and field:
also JSONPath machines, distributed Maps, Activities, and resources that are not in ``integrations.py``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any, Final

from workflows.asl.reading.fields import SECONDS_MAX, WHOLE_TEXT, DefinitionProblem, Fields, Notes
from workflows.asl.reading.integrations import CanCall
from workflows.asl.reading.scope_checks import check_express, check_scope, check_variables
from workflows.asl.reading.source import PLACEHOLDER, MissingSubstitution, UnreadableSource, read, substitute
from workflows.asl.reading.state_reading import NAME_LENGTH_MAX, read_state
from workflows.asl.reading.states import AnyState, Definition, Scope
from workflows.asl.signals import JSON

__all__ = ["Definition", "DefinitionProblem", "InvalidDefinition", "MissingSubstitution", "parse", "substitute"]

_TOP: Final = frozenset({"Comment", "StartAt", "States", "QueryLanguage", "TimeoutSeconds", "Version"})
_INNER: Final = frozenset({"Comment", "StartAt", "States"})


_HOW_TO_MOVE: Final = (
    "To move, write 'QueryLanguage: JSONata' and an expression for each path: Parameters become Arguments;"
    " ResultSelector, ResultPath, OutputPath and Result become Output; '$.a' becomes '{% $states.input.a %}'. Workflow"
    " Studio in AWS's console converts a state when its query language is changed"
)


class InvalidDefinition(ValueError):
    """The text is not a state machine that this engine runs. ``problems`` lists everything that is wrong."""

    def __init__(self, problems: list[DefinitionProblem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.problems,)


def parse(text: str, *, name: str, express: bool = False, can_call: CanCall = lambda _: False) -> Definition:
    """Read and check a machine.

    Args:
        text: JSON or YAML, with its placeholders ``${...}`` replaced (see ``substitute``).
        name: The machine's name in problems and ARNs.
        express: Whether the machine's type is EXPRESS, which can wait neither for a token nor for an execution.
        can_call: Whether an action of another service can be called. By default none can.

    Raises:
        InvalidDefinition: With all problems.
    """
    notes = Notes(name, can_call)
    raw = _read_text(text, notes)
    top = Fields(notes, "", raw)
    _check_top(top)
    if notes.problems:
        raise InvalidDefinition(notes.problems)
    _check_placeholders(raw, top)
    scope = _read_scope(notes, "", raw, "")
    check_variables(notes, scope)
    if express:
        check_express(notes, scope)
    definition = Definition(
        name=name,
        text=text,
        digest=hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest(),
        comment=top.text("Comment") or "",
        timeout_s=top.whole("TimeoutSeconds", 1, SECONDS_MAX),
        scope=scope,
        raw=raw,
    )
    if notes.problems:
        raise InvalidDefinition(notes.problems)
    return definition


def _read_text(text: str, notes: Notes) -> Mapping[str, JSON]:
    try:
        raw = read(text)
    except UnreadableSource as error:
        raise InvalidDefinition([DefinitionProblem(notes.machine, "", WHOLE_TEXT, str(error))]) from None
    if not isinstance(raw, dict):
        raise InvalidDefinition(
            [DefinitionProblem(notes.machine, "", WHOLE_TEXT, "must be an object with StartAt and States")]
        )
    return raw


def _check_top(top: Fields) -> None:
    """Check first what changes the meaning of all other fields: the query language and the version."""
    language = top.raw.get("QueryLanguage", "JSONPath")
    if language != "JSONata":
        default = "" if "QueryLanguage" in top.raw else " (the default)"
        top.problem("QueryLanguage", f"is {language}{default}; only JSONata is supported. {_HOW_TO_MOVE}")
    if top.raw.get("Version", "1.0") != "1.0":
        top.problem("Version", "must be the string 1.0")


def _read_scope(notes: Notes, path: str, raw: Mapping[str, JSON], prefix: str) -> Scope:
    fields = Fields(notes, path.rpartition("/")[0] if path else "", raw, prefix)
    fields.check_names(_INNER if path else _TOP, {"QueryLanguage": "belongs to the machine or to a state, not here"})
    start_at = fields.text("StartAt", required=True) or ""
    states = raw.get("States")
    if not isinstance(states, dict) or not states:
        fields.problem("States", "must be an object of states that is not empty")
        return Scope(start_at=start_at, states={})
    scope = Scope(start_at=start_at, states=dict(_read_states(notes, path, states)))
    check_scope(fields, path, scope, set(states))
    return scope


def _read_states(notes: Notes, path: str, states: Mapping[str, JSON]) -> Iterator[tuple[str, AnyState]]:
    for name, raw in states.items():
        place = f"{path}/{name}" if path else name
        fields = Fields(notes, place, raw if isinstance(raw, dict) else {})
        if not isinstance(raw, dict):
            fields.problem("Type", "a state must be an object")
            continue
        _check_name(fields, name)
        state = read_state(notes, place, name, raw, _read_scope)
        if state is not None:
            yield name, state


def _check_name(fields: Fields, name: str) -> None:
    if not 1 <= len(name) <= NAME_LENGTH_MAX:
        fields.problem("name", f"a state's name has 1 to {NAME_LENGTH_MAX} characters; this one has {len(name)}")
    other = fields.notes.names.setdefault(name, fields.state)
    if other != fields.state:
        fields.problem("name", f"the name is taken by '{other}'; names are unique in the whole machine")


def _check_placeholders(raw: JSON, top: Fields, place: str = "") -> None:
    """Note every ``${...}`` that was not replaced; AWS would take it literally."""
    if isinstance(raw, dict):
        for key, value in raw.items():
            if key != "Comment":
                _check_placeholders(value, top, f"{place}/{key}" if place else key)
    elif isinstance(raw, list):
        for index, value in enumerate(raw):
            _check_placeholders(value, top, f"{place}[{index}]")
    elif isinstance(raw, str):
        for name in PLACEHOLDER.findall(raw):
            top.problem(place, f"the placeholder ${{{name}}} has no value; substitute it before parsing")
