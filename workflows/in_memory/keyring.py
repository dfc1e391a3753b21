"""Data keys in memory."""

from __future__ import annotations

import threading

from workflows.event_store.keyring import DataKey, new_data_key


class InMemoryKeyRing:
    """Keeps keys until the process ends."""

    forgotten_after_s = 0.0

    def __init__(self) -> None:
        self._of_customer: dict[str, DataKey] = {}
        self._by_id: dict[str, DataKey] = {}
        self._gate = threading.Lock()

    def current(self, customer: str) -> DataKey:
        with self._gate:
            key = self._of_customer.get(customer)
            if key is None:
                key = self._of_customer[customer] = new_data_key()
                self._by_id[key.id] = key
            return key

    def find(self, key_id: str) -> DataKey | None:
        return self._by_id.get(key_id)

    def key_id_of(self, customer: str) -> str | None:
        with self._gate:
            key = self._of_customer.get(customer)
            return None if key is None else key.id

    def destroy(self, customer: str, key_id: str) -> bool:
        with self._gate:
            key = self._of_customer.get(customer)
            if key is None or key.id != key_id:
                return False
            del self._of_customer[customer], self._by_id[key_id]
            return True
