"""The store of pictures as a port. Its adapters pass one contract suite, ``tests/catalogue/test_picture_stores.py``."""

from __future__ import annotations

from typing import Protocol

from domain.identifiers import RestaurantId


class PicturesUnavailable(Exception):
    """The store of pictures did not answer. Retryable: yes. HTTP: 503."""


class Pictures(Protocol):
    """Stores pictures by restaurant and name. Every method raises PicturesUnavailable; arguments have names."""

    def put(self, *, restaurant_id: RestaurantId, name: str, content: bytes) -> None:
        """Store a picture durably. The same name always has the same content, so it may be stored again."""
        ...

    def get(self, *, restaurant_id: RestaurantId, name: str) -> bytes | None:
        """Return the content of a picture; None if there is none of this name."""
        ...

    def names(self, *, restaurant_id: RestaurantId) -> set[str]:
        """Return the names of a restaurant's pictures."""
        ...


class NoPictures:
    """Stands for the store in a process that keeps no pictures."""

    def put(self, *, restaurant_id: RestaurantId, name: str, content: bytes) -> None:
        raise PicturesUnavailable("this process keeps no pictures")

    def get(self, *, restaurant_id: RestaurantId, name: str) -> bytes | None:
        return None

    def names(self, *, restaurant_id: RestaurantId) -> set[str]:
        return set()
