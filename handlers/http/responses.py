"""An HTTP response, and how a function returns it to API Gateway."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Response:
    """``compressible``: large and public, so it is sent gzipped to callers that accept that.

    ``gzipped`` is the compressed body in base64, where it was made before. ``in_base64``: ``body`` stands for bytes.
    """

    status: int
    content_type: str | None = None
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    compressible: bool = False
    gzipped: str = ""
    in_base64: bool = False

    def result(self, accept_encoding: str = "") -> dict[str, Any]:
        """The response in payload format 2.0 of HTTP APIs."""
        headers = dict(self.headers)
        if self.content_type is not None:
            headers["Content-Type"] = self.content_type
        packed = self.compressible and "gzip" in accept_encoding
        body = self.body
        if packed:
            headers["Content-Encoding"] = "gzip"
            body = self.gzipped or base64.b64encode(gzip.compress(body.encode(), mtime=0)).decode()
        return {
            "statusCode": self.status,
            "headers": headers,
            "body": body,
            "isBase64Encoded": packed or self.in_base64,
        }
