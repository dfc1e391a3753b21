"""The tokens of an expression."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any, Final

from workflows.asl.jsonata.errors import JSONataError
from workflows.asl.jsonata.values import joined, plain

BINDING: Final = {  # operators, and how strongly each binds
    ".": 75, "[": 80, "]": 0, "{": 70, "}": 0, "(": 80, ")": 0, ",": 0, "@": 80, "#": 80, ";": 80, ":": 80, "?": 20,
    "+": 50, "-": 50, "*": 60, "/": 60, "%": 60, "|": 20, "=": 40, "<": 40, ">": 40, "^": 40, "**": 60, "..": 20,
    ":=": 10, "!=": 40, "<=": 40, ">=": 40, "~>": 40, "and": 30, "or": 25, "in": 40, "&": 50, "!": 0, "~": 0,
}  # fmt: skip
_SPACE: Final = re.compile(r"[ \t\n\r\v]*")
_DOUBLE: Final = ("..", ":=", "!=", ">=", "<=", "**", "~>")
_NUMBER: Final = re.compile(r"-?(0|([1-9][0-9]*))(\.[0-9]+)?([Ee][-+]?[0-9]+)?")
_NAME: Final = re.compile(r"[^ \t\n\r\v.\[\]{}(),@#;:?+\-*/%|=<>^&!~]*")
_PLAIN_TEXT: Final = re.compile(r"[^\\\"']+")
_HEX: Final = re.compile(r"[0-9a-fA-F]{1,4}")
_ESCAPES: Final = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_KEYWORDS: Final[dict[str, Any]] = {"true": True, "false": False, "null": None}


@dataclass(frozen=True, slots=True)
class SyntaxToken:
    """One token. ``position`` is its end, in characters from the beginning of the expression."""

    type: str
    value: Any
    position: int


class Lexer:
    """Reads one token after the other."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.position = 0

    def next(self, *, after_operand: bool = False) -> SyntaxToken | None:
        """Read the next token, or return None at the end.

        Args:
            after_operand: An operator is expected, so that ``/`` divides and does not begin a regular expression.

        Raises:
            JSONataError: There is no such token.
        """
        self._skip()
        source, start = self.source, self.position
        if start >= len(source):
            return None
        character, two = source[start], source[start : start + 2]
        if character == "/" and not after_operand:
            self.position += 1
            return self._regex()
        if two in _DOUBLE:
            return self._token("operator", two, start + 2)
        if character in BINDING:
            return self._token("operator", character, start + 1)
        if character in "\"'":
            return self._text(character)
        number = _NUMBER.match(source, start)
        if number is not None:
            return self._number(number)
        return self._quoted_name() if character == "`" else self._name()

    def _token(self, kind: str, value: Any, end: int) -> SyntaxToken:
        self.position = end
        return SyntaxToken(kind, value, end)

    def _skip(self) -> None:
        """Skip spaces and comments."""
        while True:
            self.position = _SPACE.match(self.source, self.position).end()  # type: ignore[union-attr]  # matches always
            if self.source[self.position : self.position + 2] != "/*":
                return
            end = self.source.find("*/", self.position + 2)
            if end < 0:
                raise JSONataError("S0106", self.position)
            self.position = end + 2

    def _number(self, match: re.Match[str]) -> SyntaxToken:
        number = float(match[0])
        if not math.isfinite(number):
            raise JSONataError("S0102", self.position, token=match[0])
        return self._token("number", plain(number), match.end())

    def _quoted_name(self) -> SyntaxToken:
        end = self.source.find("`", self.position + 1)
        if end < 0:
            raise JSONataError("S0105", len(self.source))
        return self._token("name", self.source[self.position + 1 : end], end + 1)

    def _name(self) -> SyntaxToken:
        match = _NAME.match(self.source, self.position)
        assert match is not None  # the pattern matches the empty text too
        name = match[0]
        if name.startswith("$"):
            return self._token("variable", name[1:], match.end())
        if name in ("or", "in", "and"):
            return self._token("operator", name, match.end())
        if name in _KEYWORDS:
            return self._token("value", _KEYWORDS[name], match.end())
        return self._token("name", name, match.end())

    def _text(self, quote: str) -> SyntaxToken:
        source, position = self.source, self.position + 1
        parts: list[str] = []
        while position < len(source):
            character = source[position]
            if character == quote:
                return self._token("string", joined("".join(parts)), position + 1)
            if character == "\\":
                part, position = self._escape(position + 1)
            else:
                match = _PLAIN_TEXT.match(source, position)
                part = match[0] if match is not None else character
                position += len(part)
            parts.append(part)
        raise JSONataError("S0101", len(source))

    def _escape(self, position: int) -> tuple[str, int]:
        character = self.source[position : position + 1]
        if character in _ESCAPES and character:
            return _ESCAPES[character], position + 1
        if character != "u":
            raise JSONataError("S0103", position, token=character)
        match = _HEX.match(self.source, position + 1, position + 5)
        if match is None or match.end() != min(position + 5, len(self.source)):
            raise JSONataError("S0104", position)
        return chr(int(match[0], 16)), position + 5

    def _regex(self) -> SyntaxToken:
        """Find the end of a regular expression: a slash that is neither escaped nor within brackets."""
        source, start, depth, escaped = self.source, self.position, 0, False
        for position in range(start, len(source)):
            character = source[position]
            if character == "/" and depth == 0 and not escaped:
                return self._pattern(source[start:position], position)
            if not (position > start and source[position - 1] == "\\"):
                depth += (character in "([{") - (character in ")]}")
            escaped = character == "\\" and not escaped
        raise JSONataError("S0302", len(source))

    def _pattern(self, pattern: str, end: int) -> SyntaxToken:
        if not pattern:
            raise JSONataError("S0301", end)
        after = end + 1
        while after < len(self.source) and self.source[after] in "im":
            after += 1
        return self._token("regex", (pattern, self.source[end + 1 : after]), after)
