"""Regular expressions of JavaScript, without the flag ``u``, on RE2, whose running time is linear in the text.

A backtracking engine can run for ever on a short text. A time limit would not be deterministic: after a crash, the
journal could give another result. RE2 has neither lookaround nor backreferences, so expressions that use them are
refused when the definition is read. All other syntax is translated: ``\\s`` has more characters in JavaScript, ``\\p``
is a letter p, and a ``[`` within a class means itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import re2

from workflows.asl.jsonata.errors import JSONataError
from workflows.asl.jsonata.evaluation import UNDEFINED, count_match, count_scanned
from workflows.asl.jsonata.limits import EvaluationFailed, InvalidExpression
from workflows.asl.jsonata.operators import text_of
from workflows.asl.jsonata.values import FunctionValue, is_number, number_text

_CONTROLS: Final = {"t": 9, "n": 10, "v": 11, "f": 12, "r": 13, "0": 0}
_SPACES: Final = r"\t-\r \x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}\x{feff}"
_NO_SPACES: Final = (
    r"\x00-\x08\x0e-\x1f!-\x{9f}\x{a1}-\x{167f}\x{1681}-\x{1fff}\x{200b}-\x{2027}\x{202a}-\x{202e}\x{2030}-\x{205e}"
    r"\x{2060}-\x{2fff}\x{3001}-\x{fefe}\x{ff00}-\x{10ffff}"
)
_ANY: Final = r"[^\n\r\x{2028}\x{2029}]"
_QUANTIFIER: Final = re.compile(r"\{[0-9]+(,[0-9]*)?\}")
_GROUP_NAME: Final = re.compile(r"\(\?<([A-Za-z_$][\w$]*)>", re.ASCII)
_HEX: Final = re.compile(r"x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})")


@dataclass(frozen=True, slots=True)
class Match:
    """One match. ``start`` and ``end`` are in characters; a group that did not take part is UNDEFINED."""

    text: str
    start: int
    end: int
    groups: list[Any]

    def as_object(self, rest: Iterator[Match] | None = None) -> dict[str, Any]:
        """Return it as the object that JSONata gives to functions."""
        found: dict[str, Any] = {"match": self.text, "start": self.start, "end": self.end, "groups": self.groups}
        return found | {"next": _Next(rest if rest is not None else iter(()))}


class Regex(FunctionValue):
    """A compiled regular expression, which is a function of a text."""

    __slots__ = ("_compiled", "_source")
    counts_as_true = False

    def __init__(self, source: str, flags: str) -> None:
        """Compile a pattern. ``flags`` has ``i``, ``m`` or both. Raises InvalidExpression."""
        if len(flags) > len(set(flags)):
            raise InvalidExpression(f"the regular expression /{source}/ has the flags '{flags}': one is given twice")
        options = re2.Options()
        options.log_errors = False  # RE2 would write to stderr
        options.case_sensitive = "i" not in flags
        self._source = source
        pattern = _Translation(source).pattern()
        try:
            self._compiled = re2.compile(f"(?m){pattern}" if "m" in flags else pattern, options)
        except re2.error as error:
            reason = error.args[0].decode() if error.args and isinstance(error.args[0], bytes) else str(error)
            raise InvalidExpression(f"the regular expression /{source}/ does not compile: {reason}") from None

    @property
    def arity(self) -> int:
        """A text, and the place to begin at."""
        return 2

    def apply(self, arguments: list[Any]) -> Any:
        """Return the first match as an object, or UNDEFINED.

        The second argument is where to begin, which $map and $filter give too: the index of the element.
        """
        text, begin = [*arguments, UNDEFINED, UNDEFINED][:2]
        return _Next(self.matches(_searched(text), _place(begin))).apply([])

    def matches(self, text: str, begin: int = 0) -> Iterator[Match]:
        """Find all matches from a place on, and count the text that is read.

        A search may read all of the rest of the text, but most read little. So a quarter of the rest is counted.

        Raises:
            JSONataError: D1004: a match after the first is empty.
            EvaluationFailed: Too much text is read, or the text holds half a character.
        """
        count_scanned(len(text))
        if begin > len(text):
            return
        is_first = True
        try:
            for match in self._compiled.finditer(text, begin):
                found = match.group()
                if not (found or is_first):
                    raise JSONataError("D1004", value=self._source)
                count_match(match)
                count_scanned((len(text) - match.end()) // 4)
                groups = [UNDEFINED if group is None else group for group in match.groups()]
                yield Match(found, match.start(), match.end(), groups)
                if match.end() >= len(text):
                    return
                if not found:  # the search goes on at the same place, for ever
                    raise JSONataError("D1004", value=self._source)
                is_first = False
        except UnicodeEncodeError:
            raise EvaluationFailed("a regular expression met half of a surrogate pair") from None


class _Next(FunctionValue):
    """The function ``next`` of a match."""

    __slots__ = ("_rest",)
    counts_as_true = False

    def __init__(self, rest: Iterator[Match]) -> None:
        self._rest = rest

    @property
    def arity(self) -> int:
        """None."""
        return 0

    def apply(self, arguments: list[Any]) -> Any:
        """Return the next match as an object, or UNDEFINED."""
        found = next(self._rest, None)
        return UNDEFINED if found is None else found.as_object(self._rest)


def _searched(value: Any) -> str:
    """Return the text of a value as JavaScript's regular expressions read it."""
    if isinstance(value, list):
        return ",".join("" if item is None or item is UNDEFINED else _searched(item) for item in value)
    if isinstance(value, dict):
        return "[object Object]"
    if is_number(value):
        return number_text(value)
    return "undefined" if value is UNDEFINED else text_of(value)


def _place(begin: Any) -> int:
    """Return a place in a text as JavaScript reads one: 0 for all that is not a number."""
    try:
        return max(0, int(float(begin))) if isinstance(begin, str | int | float) else 0
    except (ValueError, OverflowError):
        return 0


class _Translation:
    """Translates the syntax of a pattern."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._at = 0
        self._groups = len(re.findall(r"(?<!\\)\((?!\?)", source)) + len(_GROUP_NAME.findall(source))

    def pattern(self) -> str:
        """Return the pattern for RE2. Raises InvalidExpression."""
        parts = []
        while self._at < len(self._source):
            parts.append(self._part())
        return "".join(parts)

    def _part(self) -> str:
        character = self._source[self._at]
        self._at += 1
        if character == "\\":
            return self._escape()
        if character == "[":
            return self._class()
        if character == ".":
            return _ANY
        if character == "(":
            return self._group()
        if character == "{":
            return self._brace()
        return f"\\{character}" if character in "]}" else character

    def _group(self) -> str:
        begin = self._at - 1
        if self._source[self._at : self._at + 1] != "?":
            return "("
        if self._source.startswith("(?:", begin):
            self._at = begin + 3
            return "(?:"
        name = _GROUP_NAME.match(self._source, begin)
        if name is not None:
            self._at = name.end()
            return f"(?P<{name[1]}>".replace("$", "_")
        if re.match(r"\(\?<?[=!]", self._source[begin:]):
            raise self._refused("lookaround and backreferences are not supported")
        raise self._refused("invalid group")

    def _brace(self) -> str:
        quantifier = _QUANTIFIER.match(self._source, self._at - 1)
        if quantifier is None:
            return r"\{"
        self._at = quantifier.end()
        return quantifier[0]

    def _escape(self) -> str:
        character = self._next()
        if character in "dDwWbB":
            return f"\\{character}"
        if character in "sS":
            return f"[{_SPACES if character == 's' else _NO_SPACES}]"
        if character in "123456789" and int(character) <= self._groups:
            raise self._refused("lookaround and backreferences are not supported")
        if character == "k" and "(?<" in self._source:
            raise self._refused("lookaround and backreferences are not supported")
        return _code(self._code_of(character))

    def _class(self) -> str:
        """Translate ``[...]``. An empty class matches nothing, and a negated empty one everything."""
        negated = self._source.startswith("^", self._at)
        self._at += negated
        items: list[str | int] = []
        while not self._source.startswith("]", self._at):
            if self._at >= len(self._source):
                raise self._refused("unterminated character class")
            items.append(self._class_item())
        self._at += 1
        if not items:
            return r"(?s:.)" if negated else r"[^\x00-\x{10ffff}]"
        return f"[{'^' if negated else ''}{self._class_content(items)}]"

    def _class_item(self) -> str | int:
        """Read one character, as its code, or a class such as ``\\d``."""
        character = self._next()
        if character != "\\":
            return ord(character)
        character = self._next()
        if character in "dDwW":
            return f"\\{character}"
        if character in "sS":
            return _SPACES if character == "s" else _NO_SPACES
        return 8 if character == "b" else self._code_of(character)

    def _class_content(self, items: list[str | int]) -> str:
        parts: list[str] = []
        at = 0
        while at < len(items):
            item = items[at]
            if at + 2 < len(items) and items[at + 1] == ord("-"):
                last = items[at + 2]
                if isinstance(item, int) and isinstance(last, int):
                    if last < item:
                        raise self._refused("range out of order in character class")
                    parts.append(f"{_code(item)}-{_code(last)}")
                    at += 3
                    continue
            parts.append(_code(item) if isinstance(item, int) else item)
            at += 1
        return "".join(parts)

    def _code_of(self, character: str) -> int:
        """Return the code of an escaped character that stands for itself or for a control character."""
        escape = _HEX.match(self._source, self._at - 1)
        if escape is not None:
            self._at = escape.end()
            return int(escape[1] or escape[2], 16)
        if character == "c" and self._source[self._at : self._at + 1].isalpha():
            return ord(self._next()) % 32
        return _CONTROLS.get(character, ord(character))

    def _next(self) -> str:
        if self._at >= len(self._source):
            raise self._refused("\\ at end of pattern")
        self._at += 1
        return self._source[self._at - 1]

    def _refused(self, reason: str) -> InvalidExpression:
        return InvalidExpression(f"the regular expression /{self._source}/ does not compile: {reason}")


def _code(code: int) -> str:
    return f"\\x{{{code:x}}}"
