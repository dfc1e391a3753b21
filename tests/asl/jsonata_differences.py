"""Every difference between the engine's JSONata and the reference implementation, by name, with its reason.

The differential test accepts these and no others, and ``docs/jsonata.md`` lists them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from workflows.asl.jsonata.errors import JSONataError
from workflows.asl.jsonata.parser import parse_tree
from workflows.asl.jsonata.registry import BUILT_INS
from workflows.asl.jsonata.syntax_trees import Node, every_node

Outcome = Any
"""A value, an error with its code or None and its sentence, undefined, a function, or endless, as a tuple."""
Covers = Callable[[str, Outcome, Outcome], bool]


@dataclass(frozen=True, slots=True)
class Difference:
    """One kind of difference.

    ``example`` is an expression that shows it; a test checks that it still does. ``covers`` tells whether the outcomes
    of an expression differ in this way: its arguments are the expression, the reference's outcome and the engine's.
    """

    name: str
    reason: str
    example: str
    covers: Covers


def _says(*parts: str) -> Covers:
    return lambda _source, _reference, engine: engine[0] == "error" and any(part in engine[2] for part in parts)


def _calls(*names: str) -> Covers:
    pattern = re.compile(r"\$(?:" + "|".join(names) + r")\b")
    return lambda source, _reference, _engine: pattern.search(source) is not None


def _writes(pattern: str) -> Covers:
    compiled = re.compile(pattern, re.DOTALL)
    return lambda source, _reference, _engine: compiled.search(source) is not None


def _all(*rules: Covers) -> Covers:
    return lambda source, reference, engine: all(rule(source, reference, engine) for rule in rules)


def _fails(source: str, reference: Outcome, engine: Outcome) -> bool:
    return bool(reference[0] == engine[0] == "error")


def _reference_fails(*codes: str | None) -> Covers:
    return lambda _source, reference, _engine: reference[0] == "error" and reference[1] in codes


def _has_regex(flags: str = "") -> Covers:
    """Whether the expression has a regular expression, with one of the flags."""

    def covers(source: str, _reference: Outcome, _engine: Outcome) -> bool:
        found = [node.value for node in _nodes(source) if node.type == "regex"]
        return any(not flags or set(flags) & set(_flags_of(regex)) for regex in found)

    return covers


def _flags_of(regex: Any) -> str:
    return regex[1] if isinstance(regex, tuple) else ""


def _nodes(source: str) -> list[Node]:
    """List the nodes of an expression, its regular expressions as pairs of pattern and flags."""
    try:
        return list(every_node(parse_tree(source)))
    except (JSONataError, RecursionError):
        return []


def _has_several_parts(source: str, _reference: Outcome, _engine: Outcome) -> bool:
    """Whether the expression makes a list or an object of several parts, two of which can fail."""
    return any(_parts_of(node) > 1 for node in _nodes(source))


def _parts_of(node: Node) -> int:
    """Count the parts of a list or object that can fail; one pair can make several fields of several items."""
    parts = list(node.expressions or ()) if node.value == "[" else []
    pairs = [
        part for pair in (*(node.pairs or ()), *(node.group.pairs if node.group is not None else ())) for part in pair
    ]
    failing = [part for part in (*parts, *pairs) if part.type not in ("string", "number", "value")]
    return len(failing) + bool(pairs and failing)


def _sorted(value: Any) -> Any:
    """Return an outcome without any order: of list elements, and of the characters of texts."""
    if isinstance(value, str):
        return "".join(sorted(value))
    if isinstance(value, list | tuple):
        return sorted(map(_sorted, value), key=repr)
    return {name: _sorted(item) for name, item in value.items()} if isinstance(value, dict) else value


def _is_name_of_function(_source: str, reference: Outcome, engine: Outcome) -> bool:
    names = re.compile(r'(?<=function )(?:"\w+"|undefined)')
    return bool(
        reference[0] == engine[0] == "error"
        and reference[1] == engine[1]
        and names.sub("", str(reference[2])) == names.sub("", engine[2])
    )


def _is_behind_and_or_or(source: str, reference: Outcome, engine: Outcome) -> bool:
    """Whether the errors differ in a name alone, which the reference gives as that of an operator and or or."""
    if not (reference[0] == engine[0] == "error" and reference[1] == engine[1]):
        return False
    name = re.compile(r'(?:operator|function) (?:"[^"]*"|undefined)')
    named = {found for found in name.findall(str(reference[2])) if re.search('"(?:and|or)"', found)}
    return bool(named) and name.sub("", str(reference[2])) == name.sub("", engine[2])


def _goes_on_from_one_item(source: str, _reference: Outcome, _engine: Outcome) -> bool:
    """Whether a path begins with a list in brackets that has a predicate or a grouping, and goes on."""
    paths = [node.steps for node in _nodes(source) if node.type == "path" and node.steps is not None]
    return any(len(steps) > 1 and steps[0].cons_array and bool(steps[0].predicate or steps[0].group) for steps in paths)


def _quotes_a_function(_source: str, reference: Outcome, engine: Outcome) -> bool:
    """Whether two errors are the same but for a function in their text, which is empty in that of the engine."""
    return bool(
        reference[0] == engine[0] == "error"
        and reference[1] == engine[1]
        and '""' in engine[2]
        and (engine[2].partition('""')[0] == str(reference[2])[: engine[2].index('""')])
    )


def _looks_into_a_function(source: str, _reference: Outcome, _engine: Outcome) -> bool:
    """Whether the expression has ``*``, ``**`` or a regular expression, and makes or names a function."""
    return _has_function(source) and any(node.type in ("wildcard", "descendant", "regex") for node in _nodes(source))


def _has_function(source: str) -> bool:
    """Whether the expression has a function that it does not call at its place."""
    nodes = _nodes(source)
    called = {id(node.procedure) for node in nodes if node.type in ("function", "partial")}
    return any(
        node.type in ("lambda", "transform", "partial", "regex")
        or (node.type == "variable" and node.value in BUILT_INS and id(node) not in called)
        for node in nodes
    )


def _leaves_a_list_empty(source: str, reference: Outcome, engine: Outcome) -> bool:
    """Whether the expression makes an object, and the outcomes differ in nulls alone."""
    makes = any(node.group is not None or (node.type == "unary" and node.value == "{") for node in _nodes(source))
    return makes and _without_nulls(reference) == _without_nulls(engine)


def _without_nulls(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_without_nulls(item) for item in value if item is not None]
    return {name: _without_nulls(item) for name, item in value.items()} if isinstance(value, dict) else value


def _is_close(_source: str, reference: Outcome, engine: Outcome) -> bool:
    """Whether two numbers differ in their last digit alone."""
    numbers = [each[1] for each in (reference, engine) if each[0] == "value" and isinstance(each[1], tuple)]
    return len(numbers) == 2 and math.isclose(numbers[0][1], numbers[1][1], rel_tol=4e-16)


def _contains(characters: str) -> Covers:
    """Whether one of the characters is in the expression or in an outcome."""
    compiled = re.compile(characters)
    return lambda source, reference, engine: compiled.search(f"{source}{reference}{engine}") is not None


DIFFERENCES = (
    Difference(
        "bounds",
        "An evaluation has bounds of time and memory. Those of lists, texts and nesting were measured on AWS.",
        "$count([1..900000])",
        _says("memory limit exceeded", "Expression evaluation timeout", "Stack overflow error", "the width "),
    ),
    Difference(
        "functions of Step Functions",
        "Step Functions adds $partition, $range, $hash, $uuid and $parse, which the reference does not have.",
        "$partition([1, 2, 3], 2)",
        _all(_calls("partition", "range", "hash", "uuid", "parse"), _reference_fails("T1006", "T1005", "T1008")),
    ),
    Difference(
        "no $eval",
        "Step Functions has no $eval, so it is a function that does not exist.",
        "$eval('1')",
        _all(_calls("eval"), _says("")),
    ),
    Difference(
        "random numbers",
        "$random takes a seed, and $random and $shuffle give other numbers at each evaluation.",
        "$shuffle([1..100])",
        _calls("random", "shuffle"),
    ),
    Difference(
        "accidents of JavaScript",
        "Where the reference fails with an error of JavaScript, which has no code, the engine fails with a sentence of "
        "its own or returns what the documentation says.",
        "$pad('x', 2.5)",
        _reference_fails(None),
    ),
    Difference(
        "endless",
        "Where the reference never ends, the engine fails.",
        "$formatNumber(0, '0.0e0')",
        lambda source, reference, engine: reference[0] == "endless" and engine[0] == "error",
    ),
    Difference(
        "several errors",
        "The reference evaluates the parts of a list or object side by side and reports any of their errors; the "
        "engine reports the first.",
        "{'a': $toMillis(1), 'b': -'x'}",
        _all(_fails, _has_several_parts),
    ),
    Difference(
        "arguments of partial applications",
        "The reference does not check the arguments of a partially applied function; the engine does.",
        "$map([1], $lowercase(?) ~> $string)",
        _all(_writes(r"[(,]\s*\?\s*[,)]"), _says("does not match function signature", "must be an array of")),
    ),
    Difference(
        "name of the function in an error",
        "For a function that a function calls, the reference names the one that was last called by its name, in any "
        "expression; the engine names the one that is called by its name here.",
        "($uppercase('a'); $map([1], $uppercase))",
        _is_name_of_function,
    ),
    Difference(
        "name of the operator in an error",
        "For an error in the right side of and or or, the reference names that operator; the engine names the operator "
        "or the function that failed.",
        "true and 1 > 'a'",
        _is_behind_and_or_or,
    ),
    Difference(
        "one item of a list in brackets",
        "Where a predicate or a grouping leaves one item of a list in brackets, a path goes on from the item. The "
        "reference reads the item's length: it finds nothing, or repeats a step for each character of a text.",
        "[{'a': 1}, {'a': 2}][0].a",
        _goes_on_from_one_item,
    ),
    Difference(
        "functions that are passed on",
        "A function that is an element or a result counts as true or false by how it came there; no result of a state "
        "can be one.",
        "$filter($uppercase, function($x) { $x })",
        lambda source, reference, engine: (
            ("function",) in (reference, engine)
            or (_has_function(source) and reference[0] == engine[0] == "value" and reference[1] is (not engine[1]))
        ),
    ),
    Difference(
        "functions that find no match",
        "A function in the place of a regular expression returns a match, with its text, whole places and groups, or "
        "nothing; the reference reads what else it returns as a match if it is false, or has one of these.",
        "$replace('', function($text) { $text }, $string)",
        lambda _source, _reference, engine: engine[0] == "error" and engine[1] == "T1010",
    ),
    Difference(
        "order of fields",
        "Fields stay in the order in which they are written. JavaScript puts those named by a whole number first.",
        "$string({'b': 1, '2': 1})",
        _all(
            _writes(r"['\"`]\d+['\"`]"),
            lambda source, reference, engine: _sorted(list(reference)) == _sorted(list(engine)),
        ),
    ),
    Difference(
        "fields of lists",
        "A transform changes objects. In JavaScript it can also give a list a length or elements, as fields.",
        "$string([[]] ~> |$|{'length': 2}|)",
        _writes(r"~>\s*\|.*['\"](?:length|\d+)['\"]"),
    ),
    Difference(
        "no time",
        "A number that is no time fails; the reference writes NaN in its parts.",
        "$fromMillis(8.65e15)",
        _says("milliseconds since 1970 is no time", "is not like +0100"),
    ),
    Difference(
        "dates that are not ISO 8601",
        "What only the older form of JavaScript's Date.parse reads is no number.",
        "$toMillis('2024.5')",
        _all(
            lambda source, _reference, engine: engine == ("value", "NaN"),
            _writes(r"\$toMillis\(\s*['\"](?!\d{4}(?:-\d\d){0,2}(?:T[\d:.]+(?:Z|[-+]\d\d:\d\d)?)?['\"])"),
        ),
    ),
    Difference(
        "lookaround and backreferences",
        "Regular expressions run in time proportional to the text, which lookaround and backreferences cannot; they "
        "are refused when a definition is loaded.",
        "$contains('ab', /a(?=b)/)",
        _says("lookaround and backreferences are not supported"),
    ),
    Difference(
        "large regular expressions",
        "A regular expression that repeats a part more than a thousand times is refused when a definition is loaded.",
        "$contains('ab', /a{2000}/)",
        _says("invalid repetition size", "pattern too large"),
    ),
    Difference(
        "characters beyond U+FFFF in regular expressions",
        "A regular expression reads a character beyond U+FFFF as one; JavaScript without the flag u reads two halves. "
        "A text with half of one fails.",
        "$match('\U0001f600', /./).match",
        _all(_has_regex(), _contains("[\U00010000-\U0010ffff]|\\\\u[dD][89a-fA-F]|half of a surrogate pair")),
    ),
    Difference(
        "line ends in regular expressions",
        "With the flag m, ^ and $ mean the line end \\n alone.",
        "$contains('a\r', /a$/m)",
        _all(_has_regex("m"), _contains(r"\r|\u2028|\u2029|\\r|\\u202[89]")),
    ),
    Difference(
        "letter case in regular expressions",
        "With the flag i, a long s is an s and a Kelvin sign a k.",
        "$contains('\u017f', /s/i)",
        _all(_has_regex("i"), _contains("[\u017f\u212a]|\\\\u017f|\\\\u212a")),
    ),
    Difference(
        "zero has no sign",
        "The reference has a -0, which only a division by it shows: it is infinite with the other sign.",
        "1 / (-5 % 5)",
        lambda _source, reference, engine: (
            str(reference).replace("-Infinity", "Infinity") == str(engine).replace("-Infinity", "Infinity")
        ),
    ),
    Difference(
        "last digit of powers",
        "$power is rounded as C rounds it, and in V8 otherwise.",
        "$power(2, -1.5)",
        _all(_calls("power"), _is_close),
    ),
    Difference(
        "a function in the text of an error",
        "An error that quotes a function has an empty text in its place; the reference writes what the function is "
        "made of, such as its signature, its tree and the time.",
        "-$sum",
        _quotes_a_function,
    ),
    Difference(
        "long values in the text of an error",
        "An error quotes at most 4,096 characters of a value.",
        "-$pad('', 5000, 'x')",
        lambda source, reference, engine: (
            _fails(source, reference, engine)
            and len(str(reference[2])) > 4096
            and str(reference[2]).startswith(engine[2])
        ),
    ),
    Difference(
        "empty lists that objects are made of",
        "An object of fields that is made from an empty list leaves the list as it is; the reference puts an undefined "
        "element into it.",
        "([[]])[{'a': 1}]",
        _leaves_a_list_empty,
    ),
    Difference(
        "insides of functions",
        "A function has no fields and no text; with * and **, and with a regular expression that is applied to it, the "
        "reference finds what the function is made of.",
        "{} ~> |$|{}|.**",
        _looks_into_a_function,
    ),
    Difference(
        "symbols of pictures",
        "A symbol in the options of $formatNumber that is not a text, or is empty, fails; the reference compares it "
        "with the characters of the picture.",
        "$formatNumber(1, '#.##0,00', {'decimal-separator': 1})",
        _says("a symbol in the options of $formatNumber is not a text"),
    ),
    Difference(
        "a function in the place of a text",
        "$replace of a text with a function inserts nothing; the reference inserts the source text of its own wrapper.",
        "$replace('ab', 'a', function($m) { 'x' })",
        _all(_calls("replace"), lambda source, reference, engine: "async function (...params)" in str(reference)),
    ),
)
_PYTHON_ERROR = re.compile(r"[A-Z]\w*(?:Error|Exception): ")


def difference_of(source: str, reference: Outcome, engine: Outcome) -> Difference | None:
    """Return the difference that explains two outcomes, or None. Nothing explains an error in Python's words."""
    if engine[0] == "error" and _PYTHON_ERROR.match(engine[2]):
        return None
    return next((each for each in DIFFERENCES if each.covers(source, reference, engine)), None)
