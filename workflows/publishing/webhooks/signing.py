"""Sign a webhook as Standard Webhooks does (https://www.standardwebhooks.com); any of its libraries verifies it.

The signature is an HMAC-SHA256 over id, time and the exact body. While a secret is being rotated, a request carries a
signature by each of the two.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Sequence
from datetime import datetime

PREFIX = "whsec_"
SECRET_BYTES = 32
"""Standard Webhooks asks for 24 to 64 bytes."""


def new_secret() -> str:
    """Return a random secret as Standard Webhooks writes it: ``whsec_`` and base64."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signed_headers(message_id: str, body: str, at: datetime, signing_secrets: Sequence[str]) -> dict[str, str]:
    """Return the headers of a signed request: ``webhook-id``, ``webhook-timestamp``, ``webhook-signature``.

    Args:
        at: The time of this attempt. Receivers refuse a request that is more than five minutes old.
        signing_secrets: The secrets that are valid now, one signature each.
    """
    from standardwebhooks import Webhook  # only where something is sent

    signatures = (Webhook(secret).sign(msg_id=message_id, timestamp=at, data=body) for secret in signing_secrets)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
