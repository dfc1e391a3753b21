"""The login on AWS: Cognito's hosted page with PKCE, played by an authorization server on another port."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from workflows.console.files import ConsoleFiles
from workflows.console.publishing import publish
from workflows.embedded.http.console import console_routes
from workflows.embedded.http.server import HttpServer
from workflows.embedded.http.tokens import AccessTokens

if TYPE_CHECKING:
    from playwright.sync_api import Browser

TOKENS = AccessTokens(b"k" * 32)
ME = {"role": "customer", "id": "ada", "may": [], "second_person_above": []}


class AuthorizationServer:
    """Logs everybody in as one customer, and gives the token to the holder of the verifier alone."""

    def __init__(self) -> None:
        self.begun: dict[str, dict[str, str]] = {}
        self.app = Starlette(
            routes=[
                Route("/oauth2/authorize", self._authorize),
                Route("/oauth2/token", self._token, methods=["POST"]),
            ]
        )

    def _authorize(self, request: Request) -> Response:
        asked = dict(request.query_params)
        code = secrets.token_urlsafe(8)
        self.begun[code] = asked
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}")

    async def _token(self, request: Request) -> Response:
        sent = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        asked = self.begun.pop(sent["code"])
        digest = hashlib.sha256(sent["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        fits = challenge == asked["code_challenge"] and sent["redirect_uri"] == asked["redirect_uri"]
        body: Any = {"access_token": TOKENS.mint("customer", "ada")} if fits else {"error": "invalid_grant"}
        return JSONResponse(body, 200 if fits else 400, {"Access-Control-Allow-Origin": "*"})


async def _me(request: Request) -> Response:
    TOKENS.claims(request.headers["authorization"].removeprefix("Bearer "))
    return JSONResponse(ME)


@pytest.fixture
def hosted(browser: Browser, tmp_path: Path) -> Iterator[tuple[AuthorizationServer, str]]:
    """The console as it is published, for the login of another host."""
    server = AuthorizationServer()
    with ExitStack() as opened:
        login = opened.enter_context(closing(HttpServer(server.app, 0)))
        config = {"kind": "cognito", "domain": f"http://127.0.0.1:{login.port}", "client_id": "client-1"}
        publish(tmp_path / "console", api="/", base="/console/", login=config, environment="test")
        routes = [Route("/me", _me), *console_routes(TOKENS, ConsoleFiles(tmp_path / "console"))]
        console = opened.enter_context(closing(HttpServer(Starlette(routes=routes), 0)))
        yield server, f"http://127.0.0.1:{console.port}/console/"


def test_a_hosted_login_proves_that_it_was_begun_here(browser: Browser, hosted: Any) -> None:
    """The challenge is of this window; afterwards neither code nor verifier is left, and the token is in memory."""
    server, address = hosted
    with closing(browser.new_page()) as page:
        page.goto(f"{address}orders")
        page.click("button:text-is('Log in'):not([disabled])")
        page.wait_for_selector("header .who:has-text('ada')")
        assert page.url.partition("?")[2] == ""
        assert page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])") == "[{},{}]"
        assert server.begun == {}


def test_a_code_that_another_sent_logs_nobody_in(browser: Browser, hosted: Any) -> None:
    """A link with a code of a stranger would show a victim the stranger's account."""
    _server, address = hosted
    with closing(browser.new_page()) as page:
        page.goto(f"{address}?code=theirs&state=theirs")
        page.wait_for_selector("text=This login was not begun in this window")


def test_what_is_published_is_whole_and_names_the_hosts_that_it_calls(browser: Browser, tmp_path: Path) -> None:
    """The policy for CloudFront allows the API and the login of the configuration, and nothing else."""
    login = {"kind": "cognito", "domain": "https://login.example", "client_id": "c"}
    publish(tmp_path / "out", api="https://api.example/", base="/", login=login, environment="")
    headers = (tmp_path / "out" / "headers.json").read_text()
    assert (
        "connect-src 'self' https://api.example wss://api.example https://login.example wss://login.example;" in headers
    )
    assert '<base href="/">' in (tmp_path / "out" / "index.html").read_text()
    assert ConsoleFiles(tmp_path / "out").missing() == []
    with pytest.raises(FileExistsError):
        publish(tmp_path / "out", api="/", base="/", login=login, environment="")
