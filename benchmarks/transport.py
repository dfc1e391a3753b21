"""The cost of boto3 itself: the same PutItem, signed by hand and sent over urllib3, which boto3 uses too.

It has no retries, no refresh of credentials and no endpoint rules. It shows the most that could be gained.
"""

from __future__ import annotations

import hmac
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import msgspec
import urllib3

from benchmarks.dynamodb_local import REGION

_SIGNED = "content-type;host;x-amz-date;x-amz-target"


class BareDynamoDb:
    """Only ``put_item``, signed by Signature Version 4 with the credentials of DynamoDB Local."""

    def __init__(self, port: int) -> None:
        self._pool = urllib3.HTTPConnectionPool("127.0.0.1", port, maxsize=1, retries=False)
        self._host = f"127.0.0.1:{port}"
        self._keys: dict[str, bytes] = {}

    def put_item(self, table: str, item: dict[str, Any]) -> Any:
        text = msgspec.json.encode({"TableName": table, "Item": item})  # bytes become base64, as DynamoDB expects
        answer = self._pool.request("POST", "/", body=text, headers=self._signed("PutItem", text))
        if answer.status != 200:
            raise RuntimeError(f"{answer.status}: {answer.data!r}")
        return msgspec.json.decode(answer.data)

    def _signed(self, operation: str, text: bytes) -> dict[str, str]:
        at = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        target, kind = f"DynamoDB_20120810.{operation}", "application/x-amz-json-1.0"
        headers = f"content-type:{kind}\nhost:{self._host}\nx-amz-date:{at}\nx-amz-target:{target}\n"
        request = f"POST\n/\n\n{headers}\n{_SIGNED}\n{sha256(text).hexdigest()}"
        scope = f"{at[:8]}/{REGION}/dynamodb/aws4_request"
        to_sign = f"AWS4-HMAC-SHA256\n{at}\n{scope}\n{sha256(request.encode()).hexdigest()}"
        signature = hmac.new(self._key(at[:8]), to_sign.encode(), sha256).hexdigest()
        credential = f"Credential=local/{scope}, SignedHeaders={_SIGNED}, Signature={signature}"
        return {
            "Content-Type": kind,
            "X-Amz-Date": at,
            "X-Amz-Target": target,
            "Authorization": f"AWS4-HMAC-SHA256 {credential}",
        }

    def _key(self, day: str) -> bytes:
        if day not in self._keys:
            key = b"AWS4local"
            for part in (day, REGION, "dynamodb", "aws4_request"):
                key = hmac.new(key, part.encode(), sha256).digest()
            self._keys = {day: key}
        return self._keys[day]
