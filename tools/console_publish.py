"""Put the web console into an S3 bucket, and write what CloudFront needs to serve it. ``make console-publish`` runs it.

Each file goes with its content type and with how long a browser may keep it. The page goes last, so that a browser that
comes in between finds every module that the page names. Nothing is deleted: windows that are open still load their
modules, and the path of a library has its version.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import boto3

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from workflows.console.files import ConsoleFile, ConsoleFiles  # noqa: E402 -- the repository is found only now
from workflows.console.publishing import LibrariesMissing, publish  # noqa: E402

PAGE = "index.html"
HEADERS = "headers.json"
EDGE = ROOT / "build" / "console-edge"
OWN_FIELDS = {
    "content-security-policy": "ContentSecurityPolicy",
    "x-content-type-options": "ContentTypeOptions",
    "x-frame-options": "FrameOptions",
    "referrer-policy": "ReferrerPolicy",
}
"""Headers that a response headers policy has fields for; the others are custom headers."""

PATHS = """// Runs on a viewer's request: an address of the console that is no file is its page.
function handler(event) {
  var request = event.request;
  if (request.uri.indexOf("%(base)s") === 0 && request.uri.slice(request.uri.lastIndexOf("/")).indexOf(".") < 0) {
    request.uri = "%(base)sindex.html";
  }
  return request;
}
"""


def upload(s3: Any, bucket: str, prefix: str, folder: Path) -> list[str]:
    """Put the files of a published console into the bucket, the page last. Return their keys in that order."""
    files = ConsoleFiles(folder)
    names = sorted(str(each.relative_to(folder)) for each in folder.rglob("*") if each.is_file())
    names = [name for name in names if name not in (PAGE, HEADERS)] + [PAGE]
    for name in names:
        file = files.find(name)
        assert file is not None, name  # ``publish`` writes no other kinds
        s3.put_object(Bucket=bucket, Key=prefix + name, Body=file.content, **_headers(file))
    return [prefix + name for name in names]


def _headers(file: ConsoleFile) -> dict[str, str]:
    return {"ContentType": file.content_type, "CacheControl": file.cache_control}


def headers_policy(name: str, headers: dict[str, str]) -> dict[str, Any]:
    """Return the configuration of a response headers policy, as ``create-response-headers-policy`` takes it."""
    others = [
        {"Header": header, "Value": value, "Override": True}
        for header, value in headers.items()
        if header not in OWN_FIELDS
    ]
    return {
        "Name": name,
        "SecurityHeadersConfig": {
            "ContentSecurityPolicy": {"Override": True, "ContentSecurityPolicy": headers["content-security-policy"]},
            "ContentTypeOptions": {"Override": True},
            "FrameOptions": {"Override": True, "FrameOption": headers["x-frame-options"]},
            "ReferrerPolicy": {"Override": True, "ReferrerPolicy": headers["referrer-policy"]},
        },
        "CustomHeadersConfig": {"Quantity": len(others), "Items": others},
    }


def write_edge(into: Path, headers: dict[str, str], base: str) -> None:
    """Write the response headers policy and the function that answers unknown paths with the page."""
    into.mkdir(parents=True, exist_ok=True)
    (into / "headers-policy.json").write_text(json.dumps(headers_policy("expediter-console", headers), indent=2))
    (into / "paths.js").write_text(PATHS % {"base": base})


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bucket", required=True)
    parser.add_argument("--prefix", default="console/", help="Of the keys; the console's path at its host.")
    parser.add_argument("--api", default="/", help="The API's address, with a slash at its end.")
    parser.add_argument("--login-domain", required=True, help="Of the user pool, with https://")
    parser.add_argument("--login-client", required=True, help="The id of the user pool's client, which has no secret.")
    parser.add_argument("--environment", default="", help="Shown in the header, e.g. production.")
    options = parser.parse_args(arguments)
    base = f"/{options.prefix}"
    login = {"kind": "cognito", "domain": options.login_domain, "client_id": options.login_client}
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent) / "console"
        try:
            publish(folder, api=options.api, base=base, login=login, environment=options.environment)
        except LibrariesMissing as error:
            print(f"not published: {error}", file=sys.stderr)
            return 1
        keys = upload(boto3.client("s3"), options.bucket, options.prefix, folder)
        write_edge(EDGE, json.loads((folder / HEADERS).read_text()), base)
    print(f"{len(keys)} files in s3://{options.bucket}/{options.prefix}; for CloudFront: {EDGE.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
