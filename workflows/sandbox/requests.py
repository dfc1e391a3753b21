"""Requests that can be taken back until it is too late: kitchen tickets, courier offers.

A request is named by the key of the call that sent it. Taking back one that has not arrived leaves a tombstone, and the
request is turned away when it comes.

| line          | id                  | meaning                                                |
|---------------|---------------------|--------------------------------------------------------|
| `arrived`     | the request's key   | it is on the board                                     |
| `turned_away` | the request's key   | it came after it was taken back; nobody acts on it     |
| `taken_back`  | made                | it is off the board, or will never be on it            |
| `too_late`    | made                | somebody acted on it; from then on it is never undone  |
"""

from __future__ import annotations

from datetime import datetime, timedelta

from workflows.sandbox.ledger import Entry, Lines, made_id


def arrive(lines: Lines, at: datetime, *, reference: str, detail: str, key: str) -> None:
    """Take a request in. Its key is its name and is never forgotten, so it comes here once."""
    kind = "turned_away" if lines.changes(key) else "arrived"
    lines.append(Entry(kind=kind, reference=reference, id=key, key=key, detail=detail, at=at))


def take_back(lines: Lines, at: datetime, *, request_key: str, acted_on_after: timedelta, key: str) -> Entry:
    """The line that decided it, which the first to ask wrote: ``taken_back`` or ``too_late``."""
    decided = lines.changes(request_key)
    if decided:
        return decided[0]
    request = lines.find(request_key)
    too_late = request is not None and at >= request.at + acted_on_after
    return lines.append(
        Entry(
            kind="too_late" if too_late else "taken_back",
            reference=request.reference if request else "",
            id=made_id("back", key),
            parent=request_key,
            key=key,
            at=at,
        )
    )
