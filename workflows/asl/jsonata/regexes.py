"""Regular expressions of JSONata on RE2, whose running time is linear in the length of the text.

A backtracking engine can run for ever on a short text. A time limit would not be deterministic: after a crash, the
journal could give another result. RE2 has neither lookaround nor backreferences, so expressions that use them are
refused when the definition is read. In all else it is closer to JavaScript than Python's ``re``: ``\\d`` and ``\\w``
are ASCII, and ``$`` matches only at the end of the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import re2

from workflows.asl.jsonata.evaluation import count_match, count_scanned
from workflows.asl.jsonata.limits import TEXT_MAX, memory_exceeded

_UNICODE_ESCAPE = re.compile(r"((?:^|[^\\])(?:\\\\)*)\\u([0-9a-fA-F]{4})")
_GROUP = re.compile(r"\\g<(\d+)>")


class LinearPattern:
    """A compiled regular expression with the methods that the JSONata library calls."""

    def __init__(self, pattern: str, flags: Any) -> None:
        options = re2.Options()
        options.log_errors = False  # RE2 would write to stderr
        options.case_sensitive = not flags.case_insensitive
        source = _UNICODE_ESCAPE.sub(r"\1\\x{\2}", pattern)  # JavaScript's \u00e9 is RE2's \x{00e9}
        try:
            self._compiled = re2.compile(f"(?m){source}" if flags.multiline else source, options)
        except re2.error as error:
            reason = error.args[0].decode() if error.args and isinstance(error.args[0], bytes) else str(error)
            raise re.error(f"{reason}; lookaround and backreferences are not supported") from None

    def search(self, text: str) -> Any:
        """Find the first match."""
        return next(self.finditer(text), None)

    def finditer(self, text: str) -> Iterator[Any]:
        """Find all matches, and count the text that is read.

        A search may read all of the rest of the text, but most read little. So a quarter of the rest is counted.
        """
        count_scanned(len(text))
        for match in self._compiled.finditer(text):
            yield match
            count_match(match)
            count_scanned((len(text) - match.end()) // 4)

    def sub(self, replacement: str | Callable[[Any], str], text: str, count: int = 0) -> str:
        """Replace the first ``count`` matches, or all; ``\\g<1>`` in a replacement stands for the first group."""
        parts, end, size = [], 0, len(text)
        for number, match in enumerate(self.finditer(text)):
            if count and number >= count:
                break
            new = replacement(match) if callable(replacement) else _expand(replacement, match)
            parts += [text[end : match.start()], new]
            end, size = match.end(), size + len(new)
            if size > 2 * TEXT_MAX:
                raise memory_exceeded()
        return "".join([*parts, text[end:]])

    def split(self, text: str) -> list[str]:
        """Split the text at the matches, with the groups of each match between the parts."""
        parts, end = [], 0
        for match in self.finditer(text):
            parts += [text[end : match.start()], *match.groups()]
            end = match.end()
        return [*parts, text[end:]]


def _expand(replacement: str, match: Any) -> str:
    """Insert groups. For a group that does not exist, try fewer digits, as JSONata does: ``$12`` is ``$1`` and a 2."""

    def group(reference: re.Match[str]) -> str:
        digits = reference[1]
        for length in range(len(digits), 0, -1):
            if int(digits[:length]) <= len(match.groups()):
                return (match.group(int(digits[:length])) or "") + digits[length:]
        return digits[1:]

    return _GROUP.sub(group, replacement)
