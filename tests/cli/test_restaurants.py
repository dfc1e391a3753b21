"""Restaurants from the command line: found, shown, paused, and their items marked sold out."""

from __future__ import annotations

import json

from tests.cli.conftest import Expediter, eventually
from workflows.cli.demo.engine_process import EngineProcess


def test_a_restaurant_is_registered_changed_and_found(expediter: Expediter, running: EngineProcess, written) -> None:
    """The profile that show prints is a profile that register reads."""
    at = ("--data", running.data)
    profile = expediter("restaurant", "show", "curry-lane", *at, "--json").json["profile"]
    new = written("profile.json", json.dumps(profile | {"name": "Café Été", "cuisines": ["french"]}))
    registered = expediter("restaurant", "register", "cafe-ete", new, *at)
    assert registered.code == 0, registered.err
    assert "Café Été" in registered.out
    changed = expediter("restaurant", "change", "cafe-ete", written("p.json", json.dumps(profile)), *at, "--json")
    assert changed.json["profile"]["cuisines"] == profile["cuisines"]
    shown = expediter("restaurant", "show", "cafe-ete", *at).out
    assert "hours" in shown
    assert "Mon 00:00-00:00" in shown


def test_a_restaurant_pauses_and_resumes(expediter: Expediter, running: EngineProcess) -> None:
    """A busy kitchen closes for half an hour, and says when it opens."""
    at = ("ramen-ichiban", "--data", running.data)
    paused = expediter("restaurant", "pause", *at, "--for", "30", "--reason", "busy", "--json").json
    assert not paused["takes_orders"]
    assert paused["paused_until"] is not None
    both = expediter("restaurant", "pause", *at, "--for", "3", "--until", "2099-01-01T00:00:00Z", "--reason", "x")
    assert (both.code, "give one of --for and --until" in both.err) == (2, True)
    assert expediter("restaurant", "resume", *at, "--json").json["takes_orders"]


def test_an_item_is_marked_sold_out_and_back(expediter: Expediter, running: EngineProcess) -> None:
    """One option of an item too."""
    at = ("--data", running.data)
    sold_out = expediter("restaurant", "sold-out", "trattoria-nonna", "pizza-margherita", "--option", "burrata", *at)
    assert "pizza-margherita burrata" in sold_out.out
    back = expediter(
        "restaurant", "back-in-stock", "trattoria-nonna", "pizza-margherita", "--option", "burrata", *at, "--json"
    )
    assert back.json["sold_out"] == []


def test_restaurants_are_listed_and_their_popular_items(expediter: Expediter, running: EngineProcess) -> None:
    """Filters reach the engine; a restaurant without orders has no popular items."""
    at = ("--data", running.data)
    for name in ("Ramen Ichiban", "Trattoria Nonna"):
        eventually(lambda name=name: name in expediter("restaurant", "list", *at).out)  # type: ignore[misc]
    listed = expediter("restaurant", "list", "--name", "RAMEN", *at)
    assert (listed.code, "Ramen Ichiban" in listed.out, "Curry" in listed.out) == (0, True, False), listed.err
    page = expediter("restaurant", "list", "--cuisine", "Italian", "--dish", "tiramisu", "--open", *at, "--json").json
    assert [each["id"] for each in page["restaurants"]] == ["trattoria-nonna"]
    popular = expediter("restaurant", "popular", "ramen-ichiban", *at)
    assert (popular.code, "no item was ordered" in popular.out) == (0, True), popular.err
