"""Checks of all states of a scope together: transitions, reachability, ends, and assigned variables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from workflows.asl.reading.fields import DefinitionProblem, Fields, Notes
from workflows.asl.reading.states import AnyState, Assign, Choice, Fail, Fallible, Map, Parallel, Scope, Succeed, Task
from workflows.asl.reading.templates import Literal, ObjectOf


def check_scope(fields: Fields, path: str, scope: Scope, names: set[str]) -> None:
    """Check that transitions stay in the scope, that every state can be reached, and that some state ends the scope."""
    if scope.start_at and scope.start_at not in names:
        fields.problem("StartAt", f"there is no state '{scope.start_at}' in this scope")
    for state in scope.states.values():
        place = f"{path}/{state.name}" if path else state.name
        for field, target in _transitions(state):
            if target and target not in names:
                what = f"there is no state '{target}' in this scope"
                fields.notes.problems.append(DefinitionProblem(fields.notes.machine, place, field, what))
    _check_reachable(fields, path, scope)
    if scope.states and not any(_is_end(state) for state in scope.states.values()):
        fields.problem("States", "no state ends the scope: one needs 'End: true', or the type Succeed or Fail")


def check_variables(notes: Notes, scope: Scope, path: str = "", outer: frozenset[str] = frozenset()) -> None:
    """Check that no branch or iteration assigns a variable of the scope around it, which it may only read.

    What only the Catch of a Parallel or Map itself assigns may be assigned inside it too: by then the inside is over.
    """
    for state in scope.states.values():
        place = f"{path}/{state.name}" if path else state.name
        for name in sorted(_all_assigned(state) & outer):
            what = f"${name} belongs to the scope around this one, which may only read it; use another name"
            notes.problems.append(DefinitionProblem(notes.machine, place, f"Assign/{name}", what))
    assigned = Counter(name for state in scope.states.values() for name in _all_assigned(state))
    known = outer.union(assigned)
    for state in scope.states.values():
        of_own_catch = {name for name in _assigned_in_catch(state) if assigned[name] == 1} - set(_assigned_by(state))
        for where, inner in _inner_scopes(state):
            inside = f"{path}/{state.name}{where}" if path else f"{state.name}{where}"
            check_variables(notes, inner, inside, known - of_own_catch if of_own_catch else known)


def check_express(notes: Notes, scope: Scope, path: str = "") -> None:
    """Check that no Task waits for a token or for an execution, in AWS's words."""
    for state in scope.states.values():
        place = f"{path}/{state.name}" if path else state.name
        if isinstance(state, Task):
            for suffix in (".waitForTaskToken", ".sync"):
                if suffix in state.resource:
                    what = f"Express state machine does not support '{suffix}' service integration"
                    notes.problems.append(DefinitionProblem(notes.machine, place, "Resource", what))
        for where, inner in _inner_scopes(state):
            check_express(notes, inner, place + where)


def _transitions(state: AnyState) -> Iterator[tuple[str, str]]:
    if state.next is not None:
        yield "Next", state.next
    if isinstance(state, Choice):
        for index, rule in enumerate(state.rules):
            yield f"Choices[{index}]/Next", rule.next
        if state.default is not None:
            yield "Default", state.default
    if isinstance(state, Fallible):
        for index, catcher in enumerate(state.catch):
            yield f"Catch[{index}]/Next", catcher.next


def _check_reachable(fields: Fields, path: str, scope: Scope) -> None:
    reached, pending = set(), [scope.start_at]
    while pending:
        name = pending.pop()
        if name in reached or name not in scope.states:
            continue
        reached.add(name)
        pending.extend(target for _, target in _transitions(scope.states[name]))
    for name in scope.states:
        if name not in reached and scope.start_at in scope.states:
            place = f"{path}/{name}" if path else name
            fields.notes.problems.append(
                DefinitionProblem(fields.notes.machine, place, "name", "no state leads here; remove it")
            )


def _is_end(state: AnyState) -> bool:
    return isinstance(state, Succeed | Fail) or (state.next is None and not isinstance(state, Choice))


def _all_assigned(state: AnyState) -> set[str]:
    return {*_assigned_by(state), *_assigned_in_catch(state)}


def _assigned_by(state: AnyState) -> Iterator[str]:
    yield from _names_of(state.assign)
    if isinstance(state, Choice):
        for rule in state.rules:
            yield from _names_of(rule.assign)


def _assigned_in_catch(state: AnyState) -> Iterator[str]:
    if isinstance(state, Fallible):
        for catcher in state.catch:
            yield from _names_of(catcher.assign)


def _names_of(assign: Assign | None) -> Iterator[str]:
    match assign:
        case Assign(template=ObjectOf(items=items)):
            yield from (name for name, _ in items)
        case Assign(template=Literal(value=dict() as value)):
            yield from value
        case _:
            return


def _inner_scopes(state: AnyState) -> Iterator[tuple[str, Scope]]:
    if isinstance(state, Parallel):
        yield from ((f"/Branches[{index}]", branch) for index, branch in enumerate(state.branches))
    if isinstance(state, Map):
        yield "/ItemProcessor", state.processor
