"""The console in a bucket: every file that its page needs, with the headers that a browser needs."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from tools import console_publish
from workflows.console.files import ConsoleFiles

LOGIN = ["--login-domain", "https://login.example.com", "--login-client", "4abc"]


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Publish into an empty bucket; return its objects by key, and the folder for CloudFront."""
    if ConsoleFiles().missing():
        pytest.skip("the console's libraries are not installed here: make console")
    monkeypatch.setattr(console_publish, "EDGE", tmp_path / "edge")
    monkeypatch.setattr(console_publish, "ROOT", tmp_path)
    with mock_aws():
        s3 = boto3.client("s3", region_name="us-east-1")
        s3.create_bucket(Bucket="shop-console")
        assert console_publish.main(["--bucket", "shop-console", "--api", "https://api.example.com/", *LOGIN]) == 0
        keys = [each["Key"] for each in s3.list_objects_v2(Bucket="shop-console")["Contents"]]
        yield {key: s3.get_object(Bucket="shop-console", Key=key) for key in keys}, tmp_path / "edge"


def test_the_bucket_has_every_file_that_the_page_and_its_modules_name(published: Any) -> None:
    """A file that is missing there would be seen first by the person who opens its page."""
    objects, _ = published
    texts = {key: each["Body"].read().decode() for key, each in objects.items()}
    page = texts["console/index.html"]
    named = {f"console/{path}" for path in re.findall(r'(?:href|src)="([^"/][^"]*)"', page)}
    named |= {f"console/{path}" for path in re.findall(r'"\./(lib/[^"]+)"', page)}
    for key, text in texts.items():
        if key.endswith(".js") and "/lib/" not in key:
            for path in re.findall(r'(?:from|import)\s*\(?"(\.[^"]+)"', text):
                named.add(str((Path("/") / key).parent.joinpath(path).resolve())[1:])
    assert len(named) > 50
    assert named - texts.keys() == set()
    assert "https://api.example.com/" in texts["console/config.json"]
    assert "4abc" in texts["console/config.json"]
    assert not [key for key in texts if key.endswith((".py", "headers.json", "tried"))]


def test_files_have_their_type_and_how_long_they_may_be_kept(published: Any) -> None:
    """A module of a wrong type does not run; a page that is kept for a year would never be replaced."""
    objects, _ = published
    assert objects["console/app.js"]["ContentType"] == "text/javascript"
    assert objects["console/index.html"]["ContentType"] == "text/html; charset=utf-8"
    for key, each in objects.items():
        assert ("immutable" in each["CacheControl"]) is ("/lib/" in key), key


def test_cloudfront_gets_the_policy_and_answers_unknown_paths_with_the_page(published: Any) -> None:
    """The policy allows the API's host; only addresses that are no file become the page."""
    _, edge = published
    policy = (edge / "headers-policy.json").read_text()
    assert "connect-src 'self' https://api.example.com" in policy
    assert '"Header": "permissions-policy"' in policy
    node = shutil.which("node")
    if node is None:
        return
    script = (edge / "paths.js").read_text() + (
        "for (const uri of ['/console/', '/console/orders/ord_a', '/console/app.js', '/orders/ord_a'])"
        " console.log(handler({request: {uri}}).uri)"
    )
    ended = subprocess.run([node, "-e", script], capture_output=True, text=True, check=True)
    assert ended.stdout.split() == ["/console/index.html", "/console/index.html", "/console/app.js", "/orders/ord_a"]
