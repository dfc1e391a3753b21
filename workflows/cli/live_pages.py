"""Live updates on a terminal: a line for each event."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from rich.text import Text

from workflows.cli.terminal import data_console
from workflows.orders.event_words import event_sentence
from workflows.orders.words import actor

if TYPE_CHECKING:
    from workflows.cli.event_filters import FollowedEvents
    from workflows.client.live_json import LiveUpdateJson


class UpdateLines:
    """Prints updates. It keeps the events of each order that it received, which later sentences refer to."""

    def __init__(self, wanted: FollowedEvents) -> None:
        self._console = data_console()
        self._wanted = wanted
        self._seen: defaultdict[str, dict[int, Any]] = defaultdict(dict)

    def show(self, update: LiveUpdateJson) -> None:
        """Print the lines of one update."""
        order_id = update["order_id"]
        seen = self._seen[order_id]
        chosen = self._wanted.chosen(update)
        for event in update.get("events", ()):
            if chosen is not None and event in chosen["events"]:
                moment = f"{event['recorded_at'][11:19]}Z {order_id} #{event['version']:<3} "
                sentence = event_sentence(event, seen)
                self._print(Text.assemble((moment, "dim"), sentence, ("  " + actor(event["actor"]), "dim")))
            seen[event["version"]] = event
        if chosen is not None:
            self._show_rest(chosen, order_id)
        if update.get("ended"):
            del self._seen[order_id]

    def _show_rest(self, update: LiveUpdateJson, order_id: str) -> None:
        if "courier" in update:
            position = update["courier"]
            where = f"{position['latitude']:.5f}, {position['longitude']:.5f}"
            self._print(Text(f"{position['at'][11:19]}Z {order_id}      Courier {position['courier']} is at {where}"))
        if update.get("gone"):
            self._print(Text(f"          {order_id}      No longer here, or no longer visible to you"))
        if update.get("unreadable"):
            self._print(Text(f"          {order_id}      Changed, but its log cannot be read: expediter audit verify"))

    def _print(self, line: Text) -> None:
        self._console.print(line, soft_wrap=True)
