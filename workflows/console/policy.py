"""The headers that protect the console's page, above all its Content-Security-Policy.

Scripts and styles come from files of the console's own host alone; no text that an order holds can become either. The
one script in the page is the import map, which is named by its hash.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

_IN_PAGE = re.compile(rb"<script[^>]*>(.+?)</script>", re.DOTALL)


def content_security_policy(page: bytes, origins: Sequence[str] = ()) -> str:
    """Return the policy of a page.

    Args:
        page: The HTML. Scripts written in it are allowed by their hashes.
        origins: Other hosts that the console calls: an API or a login elsewhere, as ``https://host``.
    """
    hashes = [f"'sha256-{_sha256(script)}'" for script in _IN_PAGE.findall(page)]
    directives = {
        "default-src": ["'none'"],
        "script-src": ["'self'", *hashes],
        "style-src": ["'self'"],
        "img-src": ["'self'"],
        "font-src": ["'self'"],
        "connect-src": ["'self'", *origins],
        "base-uri": ["'self'"],
        "form-action": ["'none'"],
        "frame-ancestors": ["'none'"],
        "require-trusted-types-for": ["'script'"],
    }
    return "; ".join(f"{name} {' '.join(sources)}" for name, sources in directives.items())


def security_headers(page: bytes, origins: Sequence[str] = ()) -> dict[str, str]:
    """Return the headers to send with the page."""
    return {
        "content-security-policy": content_security_policy(page, origins),
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "no-referrer",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "permissions-policy": "camera=(), microphone=(), geolocation=(self)",
    }


def other_origins(config: Mapping[str, Any]) -> list[str]:
    """Return the hosts that ``config.json`` names beside the console's own, for requests and for sockets."""
    hosts = {urlsplit(address) for address in (config["api"], config["login"].get("domain", ""))}
    named = sorted((parts.scheme, parts.netloc) for parts in hosts if parts.netloc)
    return [f"{scheme.replace('http', kind)}://{host}" for scheme, host in named for kind in ("http", "ws")]


def _sha256(script: bytes) -> str:
    return base64.b64encode(hashlib.sha256(script).digest()).decode()
