"""The port through which webhooks leave: several requests at once, each with one outcome."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from workflows.publishing.webhooks.targets import Targets


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookPost:
    """A POST request with a signed body."""

    url: str
    body: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookAnswer:
    """The outcome of one request.

    Attributes:
        http: The status of the answer; None without an answer.
        error: Why there is no answer, in words. It quotes nothing that the receiver sent.
    """

    http: int | None
    took_ms: int
    error: str = ""

    @property
    def is_success(self) -> bool:
        return self.http is not None and 200 <= self.http < 300


class WebhookSender(Protocol):
    """Calls the outside. Arguments go by keyword."""

    def check(self, *, url: str, targets: Targets) -> None:
        """Check that a URL may be registered; its host is looked up. Raises TargetRefused."""
        ...

    def post_all(self, *, posts: Sequence[WebhookPost], targets: Targets) -> list[WebhookAnswer]:
        """Send all requests at once, and return their outcomes in the same order. Raises nothing."""
        ...
