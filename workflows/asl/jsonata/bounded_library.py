"""Replacements of parts of ``jsonata-python`` whose time or memory has no bound, or that read the clock.

* Functions count their work and their result, however they are called (``CountedFunction``).
* The signatures of functions (``<s-n?:s>``) and the pictures of dates become regular expressions, which the library
  gives to a backtracking engine. Here they run on RE2.
* A picture of a date may ask for any number of digits. Here each part has a maximum.
* A time read from a text without a year or a day is completed from the clock. Here it is the time of the signal.
* The library builds some lists by copying them for each element. The copies are counted.

``install`` changes the library's modules, in which these parts are looked up at each call.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any, Final

import re2
from jsonata import datetimeutils, jexception
from jsonata.functions import Functions
from jsonata.jsonata import Jsonata
from jsonata.signature import Signature

from workflows.asl.jsonata.evaluation import CURRENT, count_scanned
from workflows.asl.jsonata.limits import EvaluationFailed, check_size

WORK: Final = 64  # list elements that a library function processes in the time of one evaluation step
_TEXT_WORK: Final = 512  # characters that it processes in that time
_COPY_WORK: Final = 2048  # list elements that are copied in that time
_WIDTH_MAX: Final = 100  # digits


def install() -> None:
    """Put the replacements into the library. Idempotent."""
    datetimeutils.re = _DateRegexes
    datetimeutils.datetime = _DateTypes
    datetimeutils.DateTimeUtils._parse_width = staticmethod(_width)
    Functions.append = staticmethod(_append)


def count_work(argument: Any) -> None:
    """Count what a library function may do with an argument, which it does in one step of the evaluation."""
    if CURRENT.evaluation is None:
        return
    if isinstance(argument, list | dict):
        CURRENT.evaluation.count_steps(len(argument) // WORK)
    elif isinstance(argument, str):
        CURRENT.evaluation.count_steps(len(argument) // _TEXT_WORK)


class CountedFunction(Jsonata.JFunction):  # type: ignore[misc]  # the library ships no types
    """A function of the library whose arguments and result are counted."""

    def __init__(self, name: str, function: Any, signature: Any) -> None:
        """Wrap ``function``, which the library calls with ``call(input, arguments)``."""
        super().__init__(function, None)
        self.function_name = name
        self.signature = LinearSignature(signature)

    def call(self, input: Any, args: Any) -> Any:  # noqa: A002 -- the library's name
        """Call the function. Raises EvaluationFailed if the evaluation exceeds a bound with it."""
        for argument in args or ():
            count_work(argument)
        result = self.function.call(input, args)
        if isinstance(result, str | list | dict):
            check_size(result, len(result))
            if CURRENT.evaluation is not None:
                CURRENT.evaluation.count_made(result)
        return result

    def get_number_of_args(self) -> int:
        """Return how many arguments it takes at most, which partial application needs."""
        return int(self.signature.get_number_of_args())


class LinearSignature(Signature):  # type: ignore[misc]  # the library ships no types
    """A parsed signature that checks arguments in time proportional to their number."""

    def __init__(self, parsed: Any) -> None:
        self.__dict__.update(vars(parsed))
        self._regex = _linear("^" + "".join(f"({param.regex})" for param in self._params) + "$")

    def throw_validation_error(self, bad_args: Any, bad_sig: Any, function_name: Any) -> Any:
        """Raise T0410 with the place of the first argument that does not fit."""
        fits = 0
        for count in range(1, len(self._params) + 1):
            match = _linear("^" + "".join(param.regex for param in self._params[:count])).match(bad_sig)
            if match is None:
                break
            fits = match.end()
        raise jexception.JException("T0410", -1, fits + 1, function_name)


class _SignalTime(datetime):
    @classmethod
    def utcnow(cls) -> Any:
        """Return the time of the signal, in UTC and without a zone."""
        if CURRENT.evaluation is None:
            raise EvaluationFailed("called outside an evaluation")
        return CURRENT.evaluation.at.astimezone(UTC).replace(tzinfo=None)


class _DateTypes:
    """The types of the module ``datetime`` that the library's date functions use."""

    datetime, date, timedelta, timezone = _SignalTime, date, timedelta, timezone


class _DateRegexes:
    """The functions of ``re`` that the library's date functions call. ``compile`` gets the pattern of a picture."""

    IGNORECASE = re.IGNORECASE
    split = staticmethod(re.split)

    @staticmethod
    def compile(pattern: str, flags: int = 0) -> Any:
        return _CountedPattern(pattern) if flags else re.compile(pattern)

    @staticmethod
    def sub(_special: Any, _replacement: str, literal: str) -> str:
        """Escape a literal part of a picture, which the library means to do and does not."""
        return str(re2.escape(literal))


class _CountedPattern:
    """The pattern of a picture. Finding where each part of it matches takes RE2 a scan for each part."""

    def __init__(self, pattern: str) -> None:
        self._compiled = _linear(pattern, case_sensitive=False)

    def search(self, text: str) -> Any:
        count_scanned(len(text) * (self._compiled.groups + 1))
        return self._compiled.search(text)


def _linear(pattern: str, *, case_sensitive: bool = True) -> Any:
    options = re2.Options()
    options.log_errors = False  # RE2 would write to stderr
    options.case_sensitive = case_sensitive
    return re2.compile(pattern, options)


def _width(digits: str | None) -> int | None:
    """Read a width in a picture: the ``4`` or the ``8`` of ``[Y,4-8]``.

    Raises:
        EvaluationFailed: It is larger than any number of digits that a time has.
    """
    width: int | None = _LIBRARY_WIDTH(digits)
    if width is not None and width > _WIDTH_MAX:
        raise EvaluationFailed(f"the width {width} in the picture of a time is over {_WIDTH_MAX}")
    return width


def _append(first: Any, second: Any) -> Any:
    """Append as the library does, and count the copied elements."""
    if isinstance(first, list) and second is not None and CURRENT.evaluation is not None:
        CURRENT.evaluation.count_steps(len(first) // _COPY_WORK)
    return _LIBRARY_APPEND(first, second)


_LIBRARY_WIDTH: Final = datetimeutils.DateTimeUtils._parse_width
_LIBRARY_APPEND: Final = Functions.append
