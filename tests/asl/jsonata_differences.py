"""Every difference between the engine's JSONata and the reference implementation, by name, with its reason.

The differential test accepts these and no others, and ``docs/jsonata.md`` lists them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Outcome = Any
"""A value, an error with its code or None and its sentence, undefined, a function, or endless, as a tuple."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One kind of difference.

    ``example`` is an expression that shows it; a test checks that it still does. ``covers`` tells whether the outcomes
    of an expression differ in this way: its arguments are the expression, the reference's outcome and the engine's.
    """

    name: str
    reason: str
    example: str
    covers: Callable[[str, Outcome, Outcome], bool]


def _says(*parts: str) -> Callable[[str, Outcome, Outcome], bool]:
    return lambda _source, _reference, engine: engine[0] == "error" and any(part in engine[2] for part in parts)


def _calls(*names: str) -> Callable[[str, Outcome, Outcome], bool]:
    pattern = re.compile(r"\$(?:" + "|".join(names) + r")\b")
    return lambda source, _reference, _engine: pattern.search(source) is not None


def _writes(pattern: str) -> Callable[[str, Outcome, Outcome], bool]:
    compiled = re.compile(pattern, re.DOTALL)
    return lambda source, _reference, _engine: compiled.search(source) is not None


DIFFERENCES = (
    Difference(
        "bounds",
        "An evaluation has bounds of time and memory. Those of lists, texts and nesting were measured on AWS.",
        "$count([1..900000])",
        _says("memory limit exceeded", "Expression evaluation timeout", "Stack overflow error", "the width "),
    ),
    Difference(
        "functions of Step Functions",
        "Step Functions adds $partition, $range, $hash, $uuid and $parse, gives $random a seed, and has no $eval.",
        "$partition([1, 2, 3], 2)",
        _calls("partition", "range", "hash", "uuid", "parse", "random", "eval", "shuffle"),
    ),
    Difference(
        "accidents of JavaScript",
        "Where the reference fails with an error of JavaScript, which has no code, the engine fails with a sentence of "
        "its own or returns what the documentation says.",
        "$pad('x', 2.5)",
        lambda _source, reference, _engine: reference[0] == "error" and reference[1] is None,
    ),
    Difference(
        "endless",
        "Where the reference never ends, the engine fails.",
        "$formatNumber(0, '0.0e0')",
        lambda _source, reference, engine: reference[0] == "endless" and engine[0] == "error",
    ),
    Difference(
        "several errors",
        "The reference evaluates the parts of a list or object side by side and reports any of their errors; the "
        "engine reports the first.",
        "{'a': $toMillis(1), 'b': -'x'}",
        lambda source, reference, engine: (
            reference[0] == engine[0] == "error" and re.search(r"[\[{]", source) is not None
        ),
    ),
    Difference(
        "arguments of partial applications",
        "The reference does not check the arguments of a partially applied function; the engine does.",
        "$map([1], $lowercase(?) ~> $string)",
        lambda source, _reference, engine: "?" in source and engine[0] == "error" and engine[1] in ("T0410", "T0412"),
    ),
    Difference(
        "order of fields",
        "Fields stay in the order in which they are written. JavaScript puts those named by a whole number first.",
        "$string({'b': 1, '2': 1})",
        _writes(r"['\"`]\d+['\"`]"),
    ),
    Difference(
        "fields of lists",
        "A transform changes objects. In JavaScript it can also give a field to a list or a text.",
        "$string([[]] ~> |$|{'length': 2}|)",
        _writes(r"~>\s*\|"),
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
        lambda source, _reference, engine: "$toMillis" in source and engine == ("value", "NaN"),
    ),
    Difference(
        "lookaround and backreferences",
        "Regular expressions run in time proportional to the text, which lookaround and backreferences cannot; they "
        "are refused when a definition is loaded.",
        "$contains('ab', /a(?=b)/)",
        _says("lookaround and backreferences are not supported", "does not compile"),
    ),
    Difference(
        "characters beyond U+FFFF in regular expressions",
        "A regular expression reads a character beyond U+FFFF as one; JavaScript without the flag u reads two halves. "
        "A text with half of one fails.",
        "$match('\U0001f600', /./).match",
        lambda source, _reference, engine: (
            (re.search(r"[\U00010000-\U0010ffff]|\\u[dD][89a-fA-F]", source) is not None and "/" in source)
            or "half of a surrogate pair" in str(engine)
        ),
    ),
    Difference(
        "line ends and letter case in regular expressions",
        "With the flag m, ^ and $ mean the line end \\n alone; with i, a long s is an s, a Kelvin sign a k.",
        "$contains('a\r', /a$/m)",
        _writes(r"/[a-z]*[im]"),
    ),
    Difference(
        "other bases beyond 2^53",
        "$formatBase writes all digits of a whole number; JavaScript fills digits beyond 2^53 with zeros.",
        "$formatBase(180143985094819850, 3)",
        _calls("formatBase"),
    ),
    Difference(
        "a function in the place of a text",
        "$replace of a text with a function inserts nothing; the reference inserts the function's source text.",
        "$replace('ab', 'a', function($m) { 'x' })",
        _calls("replace"),
    ),
)


def difference_of(source: str, reference: Outcome, engine: Outcome) -> Difference | None:
    """Return the difference that explains two outcomes, or None."""
    return next((each for each in DIFFERENCES if each.covers(source, reference, engine)), None)
