"""What a gateway raises. A no of the outside is a receipt, never an exception: others must remember it.

The class names are the error names that state machines match on (``ErrorEquals``).
"""

from __future__ import annotations

import re


class Unavailable(Exception):
    """The outside did not answer: it is down, the answer was lost, or the first call under this key still runs.

    Whether the effect happened is unknown. Ask again with the same call; nothing else is safe. The named subclass of
    each gateway says who did not answer.
    """

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(f"{reason}; ask again with the same call under key {key}")
        self.key = key
        self.reason = reason


class KeyMisused(Exception):
    """The key was used for another call. That is a bug of ours, and the second call had no effect. Retryable: no.

    Of both calls only the operation is kept, for this is logged and parks an order: with what they ask, a payment
    method would be in its history for good. ``first`` may be another's words: where it is no operation it is left out.
    """

    def __init__(self, key: str, first: str, now: str) -> None:
        """The calls as they are written: the operation, and what is asked in braces, if anything."""
        self.key = key
        self.first = _operation(first)
        self.now = _operation(now)
        super().__init__(f"key {key} belongs to one call ({self.first}) and was used again for another ({self.now})")


class CredentialRefused(Unavailable):
    """The provider does not take our credential, or we have none that could be one. Nothing was done.

    Asking again is of no use before a person has put the right one in its place. So no machine retries this name, and
    an order that meets it is parked under it. To the circuit it is a failure like any other: after a few the circuit
    opens, the other orders wait for it, and a probe lets them go once the credential is right.
    """

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(key, reason)
        self.args = (f"{reason}; put the right one in its place, then retry the orders that were parked",)


def _operation(call: str) -> str:
    found = re.fullmatch(r"([a-z_]{1,40})(\{.*)?", call, re.DOTALL)
    return found[1] if found else "unknown"
