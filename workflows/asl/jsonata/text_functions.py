"""Functions of JSONata for texts."""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import quote

from workflows.asl.jsonata.errors import JSONataError
from workflows.asl.jsonata.evaluation import UNDEFINED, count_scanned, current
from workflows.asl.jsonata.limits import LENGTH_MAX, TEXT_MAX, memory_exceeded
from workflows.asl.jsonata.operators import is_numeric, text_of
from workflows.asl.jsonata.regexes import Match, Regex
from workflows.asl.jsonata.values import FunctionValue, Sequence, double, is_number, joined, utf16_length

_UNRESERVED: Final = "-_.!~*'()"  # in a component of a URL, beside letters and digits
_RESERVED: Final = ";/?:@&=+$,#"
_SPACES: Final = re.compile(r"[ \t\n\r]+")
_REFERENCE: Final = re.compile(r"\$(\$|[0-9]*)")


def string(value: Any, prettify: Any = False) -> str:
    """Return the text of a value.

    Raises:
        JSONataError: A number in it is infinite.
        EvaluationFailed: The value is larger than ``TEXT_MAX``.
    """
    if isinstance(value, list | dict) and current().size_of(value) > TEXT_MAX:
        raise memory_exceeded()
    return text_of(value, indent=2 if prettify is True else 0)


def substring(text: str, start: Any, length: Any) -> str:
    """Return a part of a text, by characters. A negative start counts from the end."""
    if start is UNDEFINED:
        return text if length is UNDEFINED else ""
    start, length = double(start), UNDEFINED if length is UNDEFINED else double(length)
    begin = _whole(start)
    begin = max(0, len(text) + begin) if begin < 0 else begin
    if length is UNDEFINED:
        return text[begin:]
    if length <= 0:
        return ""
    end = start + length if start >= 0 or len(text) + start < 0 else len(text) + start + length
    if len(text) + start < 0:
        end = length
    return text[begin : max(0, _whole(end))]


def substring_before(text: str, part: Any) -> str:
    """Return what stands before the first occurrence of a part; all of the text if it does not occur."""
    return "" if part == "" else text.partition("undefined" if part is UNDEFINED else part)[0]


def substring_after(text: str, part: Any) -> str:
    """Return what stands after the first occurrence of a part; all of the text if it does not occur."""
    return text if part == "" else text.split("undefined" if part is UNDEFINED else part, 1)[-1]


def lowercase(text: str) -> str:
    """Return the text in small letters."""
    return text.lower()


def uppercase(text: str) -> str:
    """Return the text in capital letters."""
    return text.upper()


def length(text: str) -> int:
    """Count the characters of a text."""
    return len(text)


def trim(text: str) -> str:
    """Replace runs of white space by one space, and remove it at both ends."""
    return _SPACES.sub(" ", text).removeprefix(" ").removesuffix(" ")


def pad(text: str, width: Any, filling: Any) -> str:
    """Fill a text up to a width; a negative width fills it at its beginning.

    Raises:
        EvaluationFailed: The width is over ``TEXT_MAX``; refused before the memory is used.
    """
    if width is UNDEFINED:
        return text
    if abs(width) > TEXT_MAX:
        raise memory_exceeded()
    missing = _whole(abs(width)) - len(text)
    if missing <= 0:
        return text
    filling = " " if filling in (UNDEFINED, "") else str(filling)
    padding: str = (filling * (missing // len(filling) + 1))[:missing]
    return text + padding if width > 0 else padding + text


def contains(text: str, pattern: Any) -> bool:
    """Tell whether a text contains a part, or a match of a regular expression."""
    if isinstance(pattern, str):
        return pattern in text
    if isinstance(pattern, Regex):
        return next(pattern.matches(text), None) is not None
    found = _required(pattern).apply([text])
    if found in (None, "", 0, False):
        return True  # as the reference takes all that is defined
    return _match_object(found) is not UNDEFINED


def match(text: str, pattern: FunctionValue, limit: Any) -> Sequence:
    """List the matches of a regular expression."""
    return Sequence(
        {"match": each.text, "index": _index(text, each, pattern), "groups": list(each.groups)}
        for each in _limited(text, pattern, limit, "D3040", 3)
    )


def _index(text: str, match: Match, pattern: FunctionValue) -> int:
    """Return the place of a match in UTF-16 units; that of a function is as it says."""
    by_function = not isinstance(pattern, Regex)
    return match.start if by_function or text.isascii() else utf16_length(text[: match.start])


def split(text: str, separator: Any, limit: Any) -> list[str]:
    """Split a text.

    Raises:
        EvaluationFailed: There would be more than ``LENGTH_MAX`` parts.
    """
    if not isinstance(separator, str):
        return _split_by_matches(text, separator, limit)
    if limit is not UNDEFINED and limit < 0:
        raise JSONataError("D3020", value=limit, index=3)
    most = None if limit is UNDEFINED else int(limit) % 2**32 if math.isfinite(double(limit)) else 0  # as in JavaScript
    if text.count(separator) > LENGTH_MAX:
        raise memory_exceeded()
    parts = text.split(separator) if separator else _units(text)
    return parts[:most]


def _split_by_matches(text: str, pattern: FunctionValue, limit: Any) -> list[str]:
    parts, end = [], 0
    for each in _limited(text, pattern, limit, "D3020", 3):
        parts.append(_between(text, end, each.start))
        end = each.end
    if limit is UNDEFINED or len(parts) < limit:
        parts.append(text[max(0, end) :])
    return parts


def join(texts: list[str], separator: Any) -> str:
    """Join texts.

    Raises:
        EvaluationFailed: The result would have more than ``TEXT_MAX`` characters.
    """
    between = "" if separator is UNDEFINED else separator
    if sum(map(len, texts)) + len(between) * len(texts) > TEXT_MAX:
        raise memory_exceeded()
    return joined(between.join(texts))


def replace(text: str, pattern: Any, replacement: Any, limit: Any) -> str:
    """Replace a text or the matches of a regular expression.

    Raises:
        EvaluationFailed: The result would have more than ``TEXT_MAX`` characters.
    """
    if pattern == "":
        raise JSONataError("D3010", value=pattern, index=2)
    if limit is not UNDEFINED and limit < 0:
        raise JSONataError("D3011", value=limit, index=4)
    if isinstance(pattern, str):
        return _replace_text(text, pattern, replacement, limit)
    parts, end, size = [], 0, len(text)
    for each in _limited(text, pattern, limit, "D3011", 4):
        new = _replacement_of(each, replacement)
        if not isinstance(new, str):
            raise JSONataError("D3012", value=new)
        parts += [_between(text, end, each.start), new]
        end, size = each.start + len(each.text), size + len(new)
        if size > 2 * TEXT_MAX:
            raise memory_exceeded()
    return joined("".join([*parts, text[max(0, end) :]]))


def _replacement_of(match: Match, replacement: Any) -> Any:
    """Return what stands in the place of a match; UNDEFINED if the replacement is undefined."""
    if isinstance(replacement, FunctionValue):
        return replacement.apply([match.as_object()])
    return _expand(replacement, match) if isinstance(replacement, str) else UNDEFINED


def _replace_text(text: str, pattern: str, replacement: Any, limit: Any) -> str:
    if not isinstance(replacement, str):
        # the reference would insert the source text of the function
        replacement = "undefined" if replacement is UNDEFINED else ""
    found = text.count(pattern)
    replaced = found if limit is UNDEFINED else math.ceil(min(found, double(limit))) if limit > 0 else 0
    if len(text) + replaced * len(replacement) > TEXT_MAX:
        raise memory_exceeded()
    count_scanned(len(text))
    return text.replace(pattern, replacement, replaced)


def _expand(replacement: str, match: Match) -> str:
    """Insert groups: ``$1`` is the first. Of more digits as many count as the number of groups has, or one less."""
    groups = match.groups
    digits_max = len(str(len(groups)))

    def group(reference: re.Match[str]) -> str:
        digits = reference[1]
        if digits == "$":
            return "$"
        if digits[:1] == "0":
            return match.text + digits[1:]
        if not digits:
            return "$"
        taken = digits[:digits_max]
        if digits_max > 1 and int(taken) > len(groups):
            taken = digits[: digits_max - 1]
        rest = digits[len(str(int(taken))) :]
        value = groups[int(taken) - 1] if 0 < int(taken) <= len(groups) else UNDEFINED
        return ("" if value is UNDEFINED else str(value)) + rest

    return _REFERENCE.sub(group, replacement)


def _limited(text: str, pattern: FunctionValue, limit: Any, code: str, place: int) -> Iterator[Match]:
    """Find matches, at most ``limit``. The one after the last is looked for too, as the reference does."""
    if limit is not UNDEFINED and limit < 0:
        raise JSONataError(code, value=limit, index=place)
    if limit is not UNDEFINED and not limit > 0:  # zero, or not a number
        return
    for number, each in enumerate(_matches(text, pattern)):
        if limit is not UNDEFINED and number >= limit:
            return
        yield each


def _matches(text: str, pattern: FunctionValue) -> Iterator[Match]:
    return pattern.matches(text) if isinstance(pattern, Regex) else _matches_of_function(text, pattern)


def _matches_of_function(text: str, pattern: FunctionValue) -> Iterator[Match]:
    """Find matches by a function that returns an object with ``match``, ``start``, ``end``, ``groups`` and ``next``."""
    found = _whole_match(_required(pattern).apply([text]))
    while found is not UNDEFINED:
        yield Match(found["match"], int(found["start"]), int(found.get("end", 0)), found["groups"])
        following = found.get("next", UNDEFINED)
        if not isinstance(following, FunctionValue):
            raise JSONataError("T1006")
        found = _whole_match(following.apply([]))


def _required(pattern: Any) -> FunctionValue:
    """Return the function that finds matches. Raises JSONataError if it is undefined."""
    if pattern is UNDEFINED:
        raise JSONataError("T0410", value=pattern, index=2)
    assert isinstance(pattern, FunctionValue)  # the signature lets nothing else pass
    return pattern


def _match_object(found: Any) -> Any:
    """Check what a function that finds matches returned. Raises JSONataError: T1010."""
    if found is UNDEFINED:
        return found
    if not (isinstance(found, dict) and _has_form_of_match(found)):
        raise JSONataError("T1010")
    return found


def _whole_match(found: Any) -> Any:
    """Check a match that is used: it has its text, whole places, and groups. Raises JSONataError: T1010."""
    if _match_object(found) is UNDEFINED:
        return found
    places = [found.get("start"), found.get("end", 0)]
    if not (
        isinstance(found.get("match"), str)
        and isinstance(found.get("groups"), list)
        and all(is_number(place) and float(double(place)).is_integer() for place in places)
    ):
        raise JSONataError("T1010")
    return found


def _between(text: str, first: int, last: int) -> str:
    """Return a part of a text as JavaScript's ``substring`` does, which exchanges places that are not in order."""
    first, last = sorted((max(0, first), max(0, last)))
    return text[first:last]


def _has_form_of_match(found: dict[str, Any]) -> bool:
    return (
        is_numeric(found.get("start"))
        or is_numeric(found.get("end"))
        or isinstance(found.get("groups"), list)
        or isinstance(found.get("next"), FunctionValue)
    )


def base64encode(text: str) -> str:
    """Encode the characters of a text, each as one byte, in base 64."""
    return base64.b64encode(bytes(ord(unit) & 255 for unit in _units(text))).decode()


def base64decode(text: str) -> str:
    """Decode base 64 to a text of one character a byte. What is not base 64 is left out."""
    letters = re.sub(r"[^A-Za-z0-9+/]", "", text.partition("=")[0].replace("-", "+").replace("_", "/"))
    letters = letters[:-1] if len(letters) % 4 == 1 else letters
    return base64.b64decode(letters + "=" * (-len(letters) % 4)).decode("latin-1")


def encode_url_component(text: str) -> str:
    """Escape a text as a part of a URL."""
    return _encoded(text, _UNRESERVED, "encodeUrlComponent")


def encode_url(text: str) -> str:
    """Escape a URL."""
    return _encoded(text, _UNRESERVED + _RESERVED, "encodeUrl")


def decode_url_component(text: str) -> str:
    """Decode the escapes of a part of a URL."""
    return _decoded(text, "", "decodeUrlComponent")


def decode_url(text: str) -> str:
    """Decode the escapes of a URL, but for those of reserved characters."""
    return _decoded(text, _RESERVED, "decodeUrl")


def _encoded(text: str, safe: str, function: str) -> str:
    try:
        return quote(text, safe=safe)
    except UnicodeEncodeError:
        raise JSONataError("D3140", value=text, functionName=function) from None


def _decoded(text: str, kept: str, function: str) -> str:
    def decode(escapes: re.Match[str]) -> str:
        characters = bytes.fromhex(escapes[0].replace("%", "")).decode()
        return "".join(f"%{ord(each):02X}" if each in kept else each for each in characters)

    try:
        if re.search("%(?![0-9a-fA-F]{2})", text):
            raise ValueError("an escape without two digits")
        return re.sub("(?:%[0-9a-fA-F]{2})+", decode, text)
    except ValueError:
        raise JSONataError("D3140", value=text, functionName=function) from None


def _units(text: str) -> list[str]:
    """Split a text into UTF-16 units, so that a character beyond U+FFFF becomes two halves."""
    if text.isascii():
        return list(text)
    encoded = text.encode("utf-16-le", "surrogatepass")
    return [chr(encoded[place] | encoded[place + 1] << 8) for place in range(0, len(encoded), 2)]


def _whole(number: float) -> int:
    """Round towards zero, and limit, a number that counts characters or elements."""
    return int(max(-TEXT_MAX * 2.0, min(double(number), TEXT_MAX * 2.0)))
