"""Which characters a text may hold that a person writes: a reason, a note, a name.

Texts of one person are read by another, in a line with other words. A character that moves the words around it, or that
a terminal obeys, can make that line say something else than what was recorded.
"""

from __future__ import annotations

import re
from typing import Final

DIRECTION_CONTROLS: Final = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
"""They set the direction of all that follows, also of what stands behind the text. Direction marks (U+200E, U+200F,
U+061C) are allowed, because each acts like one letter; so are the joiners that scripts and emoji need."""

UNWANTED: Final = r"\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069"
"""Direction controls, and control characters except line breaks and tabs: ranges for a character class of a pattern."""

_UNWANTED = re.compile(f"[{UNWANTED}]")


def problem_of(text: str) -> str | None:
    """Return what is wrong with the characters of a text and what to do, or None."""
    unwanted = _UNWANTED.search(text)
    if unwanted is None:
        return None
    code = f"U+{ord(unwanted[0]):04X}"
    if unwanted[0] in DIRECTION_CONTROLS:
        return f"must not contain {code}, which changes the direction of the text around it; remove it"
    return f"must not contain control characters, here {code}; remove it"
