"""Published menus in memory, as they are sent: many customers read the menu that one restaurant wrote once.

A menu of one version never changes, so what is kept is never wrong, and nothing removes it but its size.
"""

from __future__ import annotations

import base64
import gzip
import json
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from hashlib import sha256

from domain.identifiers import RestaurantId
from workflows.event_store.event_log import EventLog

CHARACTERS_MAX = 32 * 2**20
"""Of all texts that are kept: some thousand menus, each as JSON and compressed."""


@dataclass(frozen=True, slots=True)
class RenderedMenu:
    """A menu as JSON; the same compressed by gzip, in base64; and a hash of the JSON."""

    text: str
    gzipped: str = field(repr=False)
    digest: str

    @property
    def characters(self) -> int:
        """The characters that it takes."""
        return len(self.text) + len(self.gzipped)


class MenuMemory:
    """The menus of one log that were read last."""

    def __init__(self, characters_max: int = CHARACTERS_MAX) -> None:
        self._characters_max = characters_max
        self._characters = 0
        self._kept: OrderedDict[tuple[RestaurantId, int], RenderedMenu] = OrderedDict()
        self._gate = threading.Lock()

    def read(self, log: EventLog, restaurant_id: RestaurantId, menu_version: int) -> RenderedMenu:
        """Return a menu, from the log if it is not kept. Raises RestaurantNotFound, MenuNotFound."""
        place = restaurant_id, menu_version
        with self._gate:
            if (kept := self._kept.get(place)) is not None:
                self._kept.move_to_end(place)
                return kept
        from workflows.catalogue.restaurants import published_menu  # late: every function has a memory, one reads menus
        from workflows.catalogue.views import menu_view

        menu = published_menu(log, restaurant_id, menu_version)
        rendered = _rendered(
            json.dumps(menu_view(restaurant_id, menu_version, menu), ensure_ascii=False, separators=(",", ":"))
        )
        with self._gate:
            if place not in self._kept:
                self._kept[place] = rendered
                self._characters += rendered.characters
            while self._characters > self._characters_max:
                self._characters -= self._kept.popitem(last=False)[1].characters
        return rendered


def _rendered(text: str) -> RenderedMenu:
    content = text.encode()
    return RenderedMenu(
        text=text,
        gzipped=base64.b64encode(gzip.compress(content, mtime=0)).decode(),
        digest=sha256(content).hexdigest()[:32],
    )
