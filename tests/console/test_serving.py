"""The console's files as the engine serves them, and the one-time code that logs a browser in. Without a browser."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from workflows.console.files import FOLDER, ConsoleFiles
from workflows.console.policy import content_security_policy
from workflows.embedded.http.console import CODE_TTL_S, CODES_MAX, LoginCodes, console_routes
from workflows.embedded.http.server import HttpServer
from workflows.embedded.http.tokens import AccessTokens

TOKENS = AccessTokens(b"k" * 32)
LIBRARIES = json.loads((FOLDER / "libraries.json").read_text())["libraries"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A console with its own page and empty libraries."""
    for name in ("index.html", "missing.html", "libraries.json", "config.json", "app.js", "favicon.svg"):
        (tmp_path / name).write_bytes((FOLDER / name).read_bytes())
    for library in LIBRARIES:
        script = tmp_path / "lib" / f"{library['name'].rpartition('/')[2]}-{library['version']}" / "dist" / "code.mjs"
        script.parent.mkdir(parents=True)
        script.write_text("export {};")
    (tmp_path / "secret.py").write_text("token")
    return tmp_path


@pytest.fixture
def browser(folder: Path) -> Iterator[httpx.Client]:
    with (
        closing(HttpServer(Starlette(routes=console_routes(TOKENS, ConsoleFiles(folder))), 0)) as server,
        httpx.Client(base_url=f"http://127.0.0.1:{server.port}") as client,
    ):
        yield client


def test_every_address_of_the_console_is_its_page_with_a_strict_policy(browser: httpx.Client) -> None:
    """No inline script but the import map, no inline style, no other host, no frame around it."""
    for path in ("", "orders", "orders/ord_abcdefghijklmnopqrstuvwxyz", "events"):
        answer = browser.get(f"/console/{path}")
        assert answer.status_code == 200
        policy = answer.headers["content-security-policy"]
        for directive in ("default-src 'none'", "frame-ancestors 'none'", "style-src 'self';", "connect-src 'self';"):
            assert directive in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        (script,) = re.findall(rb'<script type="importmap">(.+?)</script>', answer.content, re.DOTALL)
        assert base64.b64encode(hashlib.sha256(script).digest()).decode() in policy


def test_the_policy_names_a_script_in_the_page_by_its_hash() -> None:
    """Another script in the page does not run, for instance one that a text of an order brought."""
    one, two = content_security_policy(b"<script>a()</script>"), content_security_policy(b"<script>b()</script>")
    assert one != two
    assert "https://api.example" in content_security_policy(b"", ["https://api.example"])


def test_a_file_whose_path_has_its_version_is_kept_for_ever_and_others_are_revalidated(browser: httpx.Client) -> None:
    """A second visit asks for the console's own files with their ETags, and never for a library."""
    library = LIBRARIES[0]
    kept = browser.get(f"/console/lib/{library['name']}-{library['version']}/dist/code.mjs")
    assert "immutable" in kept.headers["cache-control"]
    own = browser.get("/console/app.js")
    assert own.headers["cache-control"] == "no-cache"
    assert own.headers["content-type"].startswith("text/javascript")
    again = browser.get("/console/app.js", headers={"If-None-Match": own.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_files_are_compressed_once_and_read_again_when_they_change(folder: Path) -> None:
    """A developer reloads the page and sees the change; a browser gets the compressed form."""
    files = ConsoleFiles(folder)
    first = files.find("app.js")
    assert first is not None
    assert first.compressed is not None
    assert gzip.decompress(first.compressed) == first.content
    assert files.find("app.js") is first
    (folder / "app.js").write_text("changed")
    second = files.find("app.js")
    assert second is not None
    assert second.content == b"changed"
    assert second.etag != first.etag


@pytest.mark.parametrize(
    "path", ["secret.py", "../console/app.js", "%2e%2e/app.js", "lib/../app.js", ".hidden.js", "no.js", "a\x00.js"]
)
def test_nothing_else_of_the_folder_is_served(browser: httpx.Client, folder: Path, path: str) -> None:
    """Only files of known kinds inside the folder."""
    assert ConsoleFiles(folder).find(path) is None
    (folder / ".hidden.js").write_text("")
    assert ConsoleFiles(folder).find(path) is None


def test_without_libraries_the_page_names_what_is_missing_and_how_to_get_it(
    browser: httpx.Client, folder: Path
) -> None:
    """The engine works without the console, and says so where the console would be."""
    next((folder / "lib").glob("preact-*")).rename(folder / "elsewhere")
    answer = browser.get("/console/orders")
    assert answer.status_code == 503
    assert "make console" in answer.text
    assert f"preact {LIBRARIES[0]['version']}" in answer.text
    assert "content-security-policy" in answer.headers


def test_the_import_map_names_the_libraries_at_the_listed_versions() -> None:
    """A new version of a library needs both places, and this test says which one was forgotten."""
    page = (FOLDER / "index.html").read_text()
    for library in LIBRARIES:
        assert f"./lib/{library['name'].rpartition('/')[2]}-{library['version']}/" in page
    assert "http" not in "".join(re.findall(r'(?:src|href)="([^"]*)"', page))


def test_a_code_gives_its_token_once(browser: httpx.Client) -> None:
    """The token is not in the address that the command line opens; a code that leaks later is worth nothing."""
    token = TOKENS.mint("support", "anna")
    made = browser.post("/console/login-codes", headers={"Authorization": f"Bearer {token}"})
    assert made.status_code == 201
    assert made.headers["cache-control"] == "no-store"
    code = made.json()["code"]
    first = browser.post("/console/token", json={"code": code})
    assert first.json() == {"token": token}
    assert first.headers["cache-control"] == "no-store"
    second = browser.post("/console/token", json={"code": code})
    assert second.status_code == 401
    assert "expediter console" in second.json()["detail"]


@pytest.mark.parametrize(
    "header", [None, "Bearer wrong", "Basic x", f"Bearer {AccessTokens(b'x' * 32).mint('support', 'a')}"]
)
def test_only_the_holder_of_a_token_gets_a_code(browser: httpx.Client, header: str | None) -> None:
    """A code is worth what the token is worth, so it is made for its holder alone."""
    sent = {} if header is None else {"Authorization": header}
    assert browser.post("/console/login-codes", headers=sent).status_code == 401


@pytest.mark.parametrize("body", [b"", b"[]", b'{"code": 1}', b"{}", b"x" * 2000, b'{"code": "\\ud800"}'])
def test_a_bad_exchange_is_refused(browser: httpx.Client, body: Any) -> None:
    """Whatever is sent, the answer is a problem and no error of the server."""
    assert browser.post("/console/token", content=body).status_code in (400, 401)


def test_a_code_expires_and_codes_are_bounded() -> None:
    """A code that no browser fetched is forgotten after a minute; too many push out the oldest."""
    now = [0.0]
    codes = LoginCodes(clock=lambda: now[0])
    late = codes.issue("t1")
    now[0] = CODE_TTL_S
    assert codes.redeem(late) is None
    oldest, *others = [codes.issue(f"t{number}") for number in range(CODES_MAX + 1)]
    assert codes.redeem(oldest) is None
    assert codes.redeem(others[-1]) == f"t{CODES_MAX}"


def test_the_address_without_a_slash_leads_to_the_console(browser: httpx.Client) -> None:
    """Relative addresses of the page need the slash."""
    answer = browser.get("/console")
    assert (answer.status_code, answer.headers["location"]) == (308, "/console/")
