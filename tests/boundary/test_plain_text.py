"""Texts that people write hold no character that moves the words around them, and each script can be written."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.boundary.plain_text import DIRECTION_CONTROLS, UNWANTED, problem_of

OF_BLOCKS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
"""The classes of characters that change the direction of what follows, in Unicode's UAX #9."""


def _is_unwanted(char: str) -> bool:
    """As the Unicode database says it."""
    is_control = unicodedata.category(char) == "Cc" and char not in "\n\r\t"
    return is_control or unicodedata.bidirectional(char) in OF_BLOCKS


UNWANTED_CHARACTERS = [chr(code) for code in range(0x110000) if _is_unwanted(chr(code))]


@given(st.text(st.one_of(st.characters(), st.sampled_from(UNWANTED_CHARACTERS))))
def test_a_text_is_refused_for_one_of_these_characters_alone(text: str):
    """The error names the first, and the pattern that is documented says the same."""
    found = [char for char in text if _is_unwanted(char)]
    problem = problem_of(text)
    assert (problem is None) == (not found) == (re.fullmatch(f"[^{UNWANTED}]*", text) is not None)
    if problem is not None:
        assert f"U+{ord(found[0]):04X}" in problem


def test_every_character_of_both_kinds_is_known():
    """A later version of Unicode may have more."""
    assert {char for char in UNWANTED_CHARACTERS if unicodedata.category(char) == "Cf"} == set(DIRECTION_CONTROLS)


@given(st.text(st.characters(categories=["L", "M", "N", "P", "S", "Z"])))
def test_each_script_can_be_written(text: str):
    """Letters from right to left, accents, digits, punctuation, symbols, spaces."""
    assert problem_of(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "שלום, 2 מנות",
        "طلب ٣ وجبات\u200f!",
        "(\u200e+49 30 1234\u200e)",
        "\u061c٪",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        "\U0001f469\u200d\U0001f373",
        "two\nlines\tand a tab",
    ],
)
def test_direction_marks_and_joiners_stay(text: str):
    """Hebrew, Arabic and Persian need them, and so do emoji of several parts."""
    assert problem_of(text) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("paid \u202e00.05", "U+202E, which changes the direction of the text around it"),
        ("\u2066name", "U+2066, which changes"),
        ("\x1b[2J", "control characters, here U+001B"),
    ],
)
def test_the_error_names_the_character(text: str, words: str):
    """It is not seen in the text itself."""
    assert words in (problem_of(text) or "")
