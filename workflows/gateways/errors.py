"""The errors of gateways. A provider's refusal is not an error but a receipt, because it is recorded.

State machines match the class names (``ErrorEquals``).
"""

from __future__ import annotations

import re

from domain.picklable import Picklable


class Unavailable(Picklable, Exception):
    """A provider did not answer: it is down, the answer was lost, or the first call under this key is still running.

    Whether the call had its effect is unknown. Only repeating the same call is safe. Each gateway has its own subclass.
    """

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(f"{reason}; repeat the same call under key {key}")
        self.key = key
        self.reason = reason


class KeyMisused(Picklable, Exception):
    """The key was used for another call. That is a bug of ours, and the second call had no effect. Retryable: no.

    This error is logged and parks an order, so of both calls it keeps the operation alone: their arguments hold a
    payment method.
    """

    def __init__(self, key: str, first: str, now: str) -> None:
        """Keep the operations of two calls.

        Args:
            first: The earlier call, e.g. ``capture{...}``. A provider's text that is not a call counts as "unknown".
            now: The call that was refused.
        """
        self.key = key
        self.first = _operation(first)
        self.now = _operation(now)
        super().__init__(f"key {key} belongs to one call ({self.first}) and was used again for another ({self.now})")


class CredentialRefused(Unavailable):
    """The provider refused our credential, or we have no usable one. The call had no effect.

    Repeating the call does not help before a person has replaced the credential. So no machine retries this error, and
    the order is parked under its name. For the circuit it is a failure like any other: after a few the circuit opens,
    further orders wait, and a probe releases them once the credential is right.
    """

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(key, reason)
        self.args = (f"{reason}; replace the credential, then retry the parked orders",)


def _operation(call: str) -> str:
    match = re.fullmatch(r"([a-z_]{1,40})(\{.*)?", call, re.DOTALL)
    return match[1] if match else "unknown"
