"""JSON from outside is read strictly: text that two readers could understand differently is refused."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.boundary.strict_json import JsonRefused, read_json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(VALUES)
def test_what_json_writes_is_read_back(value: object):
    """Strictness refuses no valid text."""
    assert read_json(json.dumps(value)) == value


@pytest.mark.parametrize(
    ("text", "name", "problem"),
    [
        ("", "", "is not JSON: Expecting value at line 1, column 1"),
        ('{"a": 1,\n}', "", "at line 2, column 1"),
        ('{"a": 1, "a": 2}', "a", "appears twice"),
        ('{"b": [{"a": 1, "a": 1}]}', "a", "appears twice"),
        ("NaN", "", "NaN is not JSON"),
        ("[-Infinity]", "", "-Infinity is not JSON"),
        ("1e999", "", "too large"),
        ("9" * 5000, "", "has a number of 5000 digits"),
        ('"\\ud800"', "", "half of a surrogate pair"),
        ('{"a": ["\\udfff"]}', "a", "half of a surrogate pair"),
        ('{"\\ud800": 1}', "\\ud800", "half of a surrogate pair"),
        ("[" * 100_000, "", "nested too deeply"),
    ],
)
def test_ambiguous_text_is_refused_with_the_field(text: str, name: str, problem: str):
    """The caller learns which field to correct."""
    with pytest.raises(JsonRefused, match=problem) as refused:
        read_json(text)
    assert refused.value.name == name


def test_long_integers_are_refused_where_readers_could_round_them():
    """Beyond 2**53 JSON numbers are not read alike everywhere."""
    assert read_json("9" * 16) == int("9" * 16)
    with pytest.raises(JsonRefused, match="has a number of 16 digits; 15 are the most"):
        read_json("9" * 16, integer_digits_max=15)
