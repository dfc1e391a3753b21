"""How what people want with incidents can be refused.

Apart from the rest, because every API has an answer to these, and only one of them has incidents.
"""

from __future__ import annotations

from collections.abc import Sequence

from domain.order.refusals import Rejected


class WriteOffNeedsIntent(Rejected):
    """What is to be written off is named by its intent. HTTP: 422."""

    def __init__(self, owed_by: Sequence[int]) -> None:
        known = ", ".join(map(str, owed_by)) or "none"
        super().__init__(f"name the intent whose debt is written off; this order owes for: {known}")


class NoSuchJob(LookupError):
    """There is no bulk retry of this name. HTTP: 404."""

    def __init__(self, job_id: str) -> None:
        super().__init__(f"there is no bulk retry {job_id}")
