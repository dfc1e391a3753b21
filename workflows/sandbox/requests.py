"""Requests that can be taken back until the provider acts on them: kitchen tickets and courier offers.

A request is named by the key of the call that sent it. Taking back a request that has not arrived leaves a tombstone,
and the request is turned away when it arrives.

| line          | id                  | meaning                                                     |
|---------------|---------------------|-------------------------------------------------------------|
| `arrived`     | the request's key   | the provider has the request                                |
| `turned_away` | the request's key   | it arrived after it was taken back; the provider ignores it |
| `taken_back`  | made                | the provider will not act on it                             |
| `too_late`    | made                | the provider acted on it and cannot undo that               |
"""

from __future__ import annotations

from datetime import datetime, timedelta

from workflows.sandbox.ledger import Entry, Lines, made_id


def arrive(lines: Lines, at: datetime, *, reference: str, detail: str, key: str) -> None:
    """Record a new request. The ledger never forgets its key, so this runs once for a request."""
    kind = "turned_away" if lines.changes(key) else "arrived"
    lines.append(Entry(kind=kind, reference=reference, id=key, key=key, detail=detail, at=at))


def take_back(lines: Lines, at: datetime, *, request_key: str, acted_on_after: timedelta, key: str) -> Entry:
    """Return the line that decides about a request, ``taken_back`` or ``too_late``; the first call writes it."""
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
