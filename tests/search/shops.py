"""A shop with views: the APIs of ``tests.handlers.conftest`` on a log in memory, and its views in a database.

Two restaurants have menus: Rosa and Luigi.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

from tests.handlers.conftest import NOON, Answer, Shop, open_restaurant
from tests.projections.histories import BLIND_INDEX
from workflows.engine import Views
from workflows.projections.loading import loads_from
from workflows.projections.projector import Projector
from workflows.projections.store import AsOf, ViewStore
from workflows.projections.views import all_views


class ShopWithViews(Shop):
    """Views follow the log when ``project`` is called, so that a test decides how late they are."""

    def __init__(self, url: str | Path) -> None:
        super().__init__()
        self.views = Views(url, BLIND_INDEX, feed=self.log)
        self.pauses = 0
        self.project_at_pause: int | None = None
        self.engine = dataclasses.replace(self.engine, views=self.views, pause=self._pause)
        self.store = ViewStore(self.views.database, all_views(BLIND_INDEX), self.clock)
        self.store.prepare()
        with self.store.writing() as connection:
            for view in self.store.views.values():
                self.store.set_built(connection, view)
        self._projector = Projector(self.store, loads_from(self.log))
        self._position = 0
        open_restaurant(self.log, "luigi")
        self.clock.time = NOON
        self.project()

    def project(self) -> None:
        """Bring the views up to date with the log."""
        while changes := self.log.changes(self._position, 1000):
            newest = changes[-1]
            as_of = AsOf(position=newest.position, recorded_at=newest.commit.ts)
            self._projector.project({change.commit.pk for change in changes}, as_of)
            self._position = newest.position

    def list(self, path: str = "/orders", *, role: str = "support", sub: str = "sue", **query: object) -> Answer:
        """Read a list, by default as support."""
        return self.call("GET", path, role=role, sub=sub, query={name: _text(value) for name, value in query.items()})

    def ids(self, **query: object) -> list[str]:
        """Return the ids of the listed orders."""
        answer = self.list(**query)  # type: ignore[arg-type]
        assert answer.status == 200, answer
        return [order["id"] for order in answer.json["orders"]]

    def _pause(self, _: float) -> None:
        self.pauses += 1
        if self.pauses == self.project_at_pause:
            self.project()


def _text(value: object) -> object:
    return str(value).lower() if isinstance(value, bool) else value
