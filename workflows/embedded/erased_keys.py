"""The ids of the keys that an engine has destroyed, in a file that no backup contains.

A backup holds the keys of customers who were erased after it was made. An engine reads the file before anything else
runs, and destroys each key in it that exists, whatever folder its databases were copied from. So a customer stays
erased as long as the file is kept, also if the log of the erasure is lost.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Final, Protocol

from domain.identifiers import SYSTEM
from workflows.boundary.private_files import write_private
from workflows.clock import Clock
from workflows.event_store.documents import Documents
from workflows.event_store.erasure import destroy_requested, note_erasure, request_erasure
from workflows.event_store.event_log import EventLog
from workflows.event_store.keyring import KeyRing
from workflows.sqlite.database import sync_folder

log = logging.getLogger(__name__)

AFTER_RESTORE: Final = "destroyed again, because a backup from before the erasure was restored"
"""The reason in the log of a restored folder: the request that led to the erasure is lost with the commits since."""


class KeysByCustomer(KeyRing, Protocol):
    """A key ring that finds the customer of a key."""

    def customer_of(self, key_id: str) -> str | None:
        """Return the customer whose key this is; None if there is no such key."""
        ...


class ErasedKeys:
    """One id a line. A line is only ever added, before the key is destroyed.

    The file is there, empty, before anything was erased: a missing one is a lost one.
    """

    def __init__(self, file: Path) -> None:
        """Open nothing yet."""
        self._file = file

    def ids(self) -> list[str]:
        """Return the ids, the oldest first. The file is made if it is missing. Raises OSError."""
        if not self._file.exists():
            write_private(self._file, "")
        return self._file.read_text(encoding="ascii").split()

    def add(self, *key_ids: str) -> None:
        """Write ids to the disk. Raises OSError."""
        write_private(self._file, "".join(f"{key_id}\n" for key_id in dict.fromkeys((*self.ids(), *key_ids))))
        sync_folder(self._file.parent)


def destroy_again(
    key_ids: Iterable[str], event_log: EventLog, documents: Documents, keyring: KeysByCustomer, clock: Clock
) -> None:
    """Destroy those of these keys that exist, and record it. What is derived goes by the schedule of erasures."""
    for key_id in key_ids:
        customer = keyring.customer_of(key_id)
        if customer is None:
            continue
        log.warning("a key that was destroyed before exists again and is destroyed", extra={"key": key_id})
        note_erasure(documents, customer)
        request_erasure(event_log, clock, customer, key_id, actor=SYSTEM, reason=AFTER_RESTORE)
        destroy_requested(event_log, keyring, clock, customer, actor=SYSTEM)
        keyring.destroy(customer, key_id)  # a log that is newer than the keys has recorded it already
