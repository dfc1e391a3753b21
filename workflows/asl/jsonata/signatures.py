"""Signatures of functions: ``<s-n?:s>`` takes a text, or the context item in its place, and perhaps a number.

A signature is a regular expression over one letter an argument. It runs on RE2, because a function of the expression
may have a signature for which a backtracking engine runs without end.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Final

import re2

from workflows.asl.jsonata.errors import JSONataError
from workflows.asl.jsonata.evaluation import UNDEFINED
from workflows.asl.jsonata.values import symbol_of

_PLURALS: Final = {"a": "arrays", "b": "booleans", "f": "functions", "n": "numbers", "o": "objects", "s": "strings"}
_TYPES: Final = {
    **{letter: f"[{letter}m]" for letter in "snblo"},
    "a": "[asnblfom]",  # a value that is not a list becomes a list of one
    "f": "f",
    "j": "[asnblom]",
    "x": "[asnblfom]",
}


@dataclass(slots=True)
class _ArgumentType:
    type: str
    regex: str
    context: str | None = None  # types that the context item may have
    subtype: str | None = None  # of the elements of a list


class Signature:
    """One parsed signature."""

    def __init__(self, text: str) -> None:
        """Parse a signature with its angle brackets. Raises JSONataError."""
        self._parameters: list[_ArgumentType] = []
        position = 1
        while position < len(text) and text[position] != ":":
            position = self._read(text, position) + 1

    def _read(self, text: str, position: int) -> int:
        """Read one parameter, or what follows one, and return the position of its last character."""
        symbol = text[position]
        last = self._parameters[-1] if self._parameters else _ArgumentType("", "")
        if symbol in _TYPES:
            self._parameters.append(_ArgumentType(symbol, _TYPES[symbol]))
        elif symbol == "-":
            last.context = last.regex
            last.regex += "?"
        elif symbol in "?+":
            last.regex += symbol
        elif symbol == "(":
            end = _closing(text, position, "()")
            choice = text[position + 1 : end]
            if "<" in choice:
                raise JSONataError("S0402", value=choice)
            self._parameters.append(_ArgumentType(f"({choice})", f"[{_letters(choice)}m]"))
            return end
        elif symbol == "<":
            if last.type not in ("a", "f"):
                raise JSONataError("S0401", value=last.type)
            end = _closing(text, position, "<>")
            last.subtype = text[position + 1 : end]
            return end
        return position

    @cached_property
    def _regex(self) -> Any:
        return _compiled("^" + "".join(f"({parameter.regex})" for parameter in self._parameters) + "$")

    def validate(self, arguments: list[Any], context: Any) -> list[Any]:
        """Check arguments, put the context item in the place of a missing one, and make lists of single values.

        Raises:
            JSONataError: T0410, T0411 or T0412: an argument or the context item has another type.
        """
        symbols = "".join(map(symbol_of, arguments))
        match = self._regex.match(symbols)
        if match is None:
            raise self._mismatch(arguments, symbols)
        validated: list[Any] = []
        taken = 0
        for number, parameter in enumerate(self._parameters, start=1):
            letters = match.group(number)
            if letters:
                first = arguments[taken] if taken < len(arguments) else UNDEFINED
                for place, letter in enumerate(letters, start=taken):
                    # of several arguments of a type that is no list, the reference passes on the first for each
                    argument = arguments[place] if parameter.type == "a" else first
                    validated.append(_checked(parameter, argument, letter, letters, place))
                taken += len(letters)
            elif parameter.context is not None:
                if symbol_of(context) not in parameter.context:
                    raise JSONataError("T0411", value=context, index=taken + 1)
                validated.append(context)
            else:
                validated.append(arguments[taken] if taken < len(arguments) else UNDEFINED)
                taken += 1
        return validated

    def _mismatch(self, arguments: list[Any], symbols: str) -> JSONataError:
        fits = 0
        for count in range(1, len(self._parameters) + 1):
            match = _compiled("^" + "".join(each.regex for each in self._parameters[:count])).match(symbols)
            if match is None:
                break
            fits = match.end()
        value = arguments[fits] if fits < len(arguments) else UNDEFINED
        return JSONataError("T0410", value=value, index=fits + 1)


def _checked(parameter: _ArgumentType, argument: Any, letter: str, letters: str, place: int) -> Any:
    if parameter.type != "a" or letter == "m":
        return argument
    subtype = parameter.subtype
    if subtype is not None:
        if letter != "a":
            fits = letters == subtype
        else:
            first = symbol_of(argument[0]) if argument else subtype[:1]
            fits = first == subtype[:1] and all(symbol_of(item) == first for item in argument)
        if not fits:
            raise JSONataError("T0412", value=argument, index=place + 1, type=_PLURALS.get(subtype, UNDEFINED))
    return argument if letter == "a" else [argument]


def _closing(text: str, position: int, brackets: str) -> int:
    """Find the bracket that closes the one at ``position``; the end of the text if there is none."""
    depth = 1
    while depth and position + 1 < len(text):
        position += 1
        depth += (text[position] == brackets[0]) - (text[position] == brackets[1])
    return position


def _letters(choice: str) -> str:
    return "".join(letter for letter in choice if letter.isalnum())


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> Any:
    options = re2.Options()
    options.log_errors = False  # RE2 would write to stderr
    return re2.compile(pattern, options)
