"""Identifiers: their formats, and that a retry finds the order of its caller and no other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.identifiers import InvalidIdentifier, order_id_for, parse_name, parse_order_id

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@given(TEXT, TEXT)
def test_the_same_caller_and_key_make_the_same_order_id_which_can_be_read(caller, key):
    assert parse_order_id(order_id_for(caller, key)) == order_id_for(caller, key)


@given(TEXT, TEXT, TEXT, TEXT)
def test_another_caller_or_key_makes_another_order_id(caller, key, other_caller, other_key):
    """Also if both texts are the same when joined: the length of the caller is hashed too."""
    same = (caller, key) == (other_caller, other_key)
    assert (order_id_for(caller, key) == order_id_for(other_caller, other_key)) is same
    assert order_id_for(caller + "x", key) != order_id_for(caller, "x" + key)


def test_an_order_id_is_the_same_on_every_machine_and_in_every_release():
    """Order ids are stored and known to customers: their derivation must never change."""
    assert order_id_for("app", "first order") == "ord_nqy5gdexgpndsxpxls6al2fh4e"


@pytest.mark.parametrize(
    "text",
    ["", "ord_", "ord_nqy5gdexgpndsxpxls6al2fh4", "ord_nqy5gdexgpndsxpxls6al2fh4ee", "ORD_nqy5gdexgpndsxpxls6al2fh4e",
     "ord_NQY5GDEXGPNDSXPXLS6AL2FH4E", "ord_nqy5gdexgpndsxpxls6al2fh41", " ord_nqy5gdexgpndsxpxls6al2fh4e",
     "ord_nqy5gdexgpndsxpxls6al2fh4e\n", "../../etc/passwd"],
)  # fmt: skip
def test_a_text_that_is_not_an_order_id_is_refused(text):
    with pytest.raises(InvalidIdentifier, match="is not an order id"):
        parse_order_id(text)


@pytest.mark.parametrize("text", ["a", "A-1", "luigi.roma_2", "0" * 64])
def test_ids_of_other_systems_are_kept_unchanged(text):
    assert parse_name(text, "restaurant") == text


@pytest.mark.parametrize("text", ["", "-a", ".a", "a b", "a/b", "a\n", "é", "a" * 65, "a#b"])
def test_ids_that_would_break_a_key_or_a_log_line_are_refused(text):
    with pytest.raises(InvalidIdentifier, match="is not a restaurant id"):
        parse_name(text, "restaurant")
