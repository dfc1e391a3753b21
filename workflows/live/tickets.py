"""Tickets that open a socket. A browser cannot send a bearer token when it opens one, so it sends a ticket in the URL.

A ticket is a random name of a document, valid for half a minute and for one socket, because URLs are
logged by proxies. The socket ends when the access token that the ticket was made with expires.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.identifiers import Actor, Role
from domain.order.refusals import Rejected
from workflows.clock import read_timestamp, timestamp
from workflows.event_store.documents import ANY, Document, DocumentChanged, Documents, all_documents, body_as

PARTITION = "live-tickets"
VALID_S = 30
"""Time to open a socket. A client that was too slow gets another ticket."""


class TicketRefused(Rejected):
    """The ticket is unknown, used or expired. Retryable: with a new ticket."""

    def __init__(self) -> None:
        super().__init__("the ticket is unknown, used or expired; get another from POST /live-tickets")


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveTicket:
    """The caller that a ticket lets in. ``until``: when the access token expires and the socket is closed."""

    role: Role
    subject: str
    expires_at: str
    until: str

    @property
    def actor(self) -> Actor:
        return Actor(self.role, self.subject)

    @property
    def ends_at(self) -> datetime:
        return read_timestamp(self.until)


def issue(documents: Documents, actor: Actor, *, now: datetime, until: datetime) -> tuple[str, LiveTicket]:
    """Make a ticket. Return its name, which is a secret, and the ticket."""
    name = secrets.token_urlsafe(24)
    expires_at = now + timedelta(seconds=VALID_S)
    ticket = LiveTicket(role=actor.role, subject=actor.id, expires_at=timestamp(expires_at), until=timestamp(until))
    body = {
        "role": ticket.role.value,
        "subject": ticket.subject,
        "expires_at": ticket.expires_at,
        "until": ticket.until,
    }
    documents.put(Document(PARTITION, name, body, expires_s=int(expires_at.timestamp()) + 1), None)
    return name, ticket


def redeem(documents: Documents, name: str, *, now: datetime) -> LiveTicket:
    """Use a ticket up. Raises TicketRefused."""
    document = documents.get(PARTITION, name)
    ticket = body_as(document, LiveTicket)
    if document is None or ticket is None:
        raise TicketRefused
    try:
        documents.delete(PARTITION, name, document.version)  # of two sockets with one ticket, one deletes it
    except DocumentChanged:
        raise TicketRefused from None
    if timestamp(now) >= min(ticket.expires_at, ticket.until):
        raise TicketRefused
    return ticket


def withdraw(documents: Documents, role: Role, subject: str) -> None:
    """Delete the unused tickets of a caller."""
    for document in all_documents(documents, PARTITION):
        ticket = body_as(document, LiveTicket)
        if ticket is not None and (ticket.role, ticket.subject) == (role, subject):
            documents.delete(PARTITION, document.sk, ANY)
