"""Pictures in memory."""

from __future__ import annotations

from domain.identifiers import RestaurantId


class InMemoryPictures:
    """Keeps pictures by restaurant and name."""

    def __init__(self) -> None:
        self._contents: dict[tuple[RestaurantId, str], bytes] = {}

    def put(self, *, restaurant_id: RestaurantId, name: str, content: bytes) -> None:
        self._contents[restaurant_id, name] = content

    def get(self, *, restaurant_id: RestaurantId, name: str) -> bytes | None:
        return self._contents.get((restaurant_id, name))

    def names(self, *, restaurant_id: RestaurantId) -> set[str]:
        return {name for of, name in self._contents if of == restaurant_id}
