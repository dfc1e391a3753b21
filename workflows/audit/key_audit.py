"""Find keys of customers that are gone although no erasure was recorded, and keys that outlived a recorded one."""

from __future__ import annotations

from collections.abc import Iterator

from workflows.audit.findings import Finding
from workflows.event_store.commits import Commit, RecordedEvent
from workflows.event_store.erasure import ErasureRequested, KeyDestroyed
from workflows.event_store.keyring import KeyRing
from workflows.event_store.personal_fields import key_ids


class KeyAudit:
    """Sees every commit once. Its memory grows with the erasures and the missing keys only."""

    def __init__(self, keys: KeyRing) -> None:
        self._keys = keys
        self._missing: dict[str, tuple[str, int]] = {}  # the first place of each key that does not exist
        self._requested: set[str] = set()
        self._destroyed: dict[str, tuple[str, int]] = {}

    def see(self, commit: Commit, events: tuple[RecordedEvent, ...]) -> None:
        """Take note of a commit. Raises KeyRingUnavailable."""
        for recorded in events:
            event: object = recorded.event
            if isinstance(event, ErasureRequested):
                self._requested.add(event.key_id)
            elif isinstance(event, KeyDestroyed):
                self._destroyed[event.key_id] = (commit.pk, recorded.version)
        for key_id in key_ids(commit.ev):
            if key_id not in self._missing and self._keys.find(key_id) is None:
                self._missing[key_id] = (commit.pk, commit.sk)

    def findings(self) -> Iterator[Finding]:
        """Yield what is wrong once every commit was seen. Raises KeyRingUnavailable."""
        for key_id, (stream, version) in self._missing.items():
            if key_id not in self._requested:
                what = f"the key {key_id} of its personal fields is gone, and no erasure was recorded"
                yield Finding(stream, version, what)
        for key_id, (stream, version) in self._destroyed.items():
            if self._keys.find(key_id) is not None:
                yield Finding(stream, version, f"records that the key {key_id} was destroyed, but it exists")
