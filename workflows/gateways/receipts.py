"""A receipt that more than one provider gives."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TooLate:
    """The ticket or offer cannot be cancelled: the meal is cooked, or a courier is under way and will be paid."""

    reason: str
    at: datetime
