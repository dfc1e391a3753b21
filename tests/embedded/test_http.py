"""The HTTP front: requests as API Gateway's events, results as responses, and requests that are refused."""

from __future__ import annotations

import base64
import json
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
import toy_handlers as toys

from workflows.boundary.private_files import SecretUnusable
from workflows.clock import SystemClock
from workflows.embedded.alarms import Alarms
from workflows.embedded.http.api import BODY_BYTES_MAX, HttpApi
from workflows.embedded.http.payload_format import HttpRequest, event
from workflows.embedded.http.server import HEADER_BYTES_MAX, HttpServer, PortTaken
from workflows.embedded.http.tokens import AccessTokens, RoleUnknown, TokenRefused
from workflows.embedded.lambda_.functions import Functions
from workflows.embedded.template import ApiRoute, Function, Template
from workflows.engine import Engine
from workflows.hub.hub import Hub

DEADLINE_S = 20.0
ROUTES = [
    ("GET", "/orders/{order_id}", False),
    ("GET", "/orders/latest", False),
    ("PATCH", "/orders/{order_id}", False),
    ("POST", "/orders", False),
    ("POST", "/gate/{place}", False),
    ("POST", "/orders/{order_id}/cancel", False),
    ("GET", "/docs", True),
    ("POST", "/answer", True),
    ("POST", "/broken", True),
]


class Api:
    """A server with toy routes, and a client of it."""

    def __init__(self, folder: Path) -> None:
        clock = SystemClock()
        self.hub = Hub()
        self.alarms = Alarms(clock, self.hub)
        routes = tuple(ApiRoute(method=method, path=path, open=is_open) for method, path, is_open in ROUTES)
        function = Function(
            logical_id="Api",
            handler="toy_handlers.answer_http",
            timeout_s=30,
            memory_mb=128,
            environment={},
            routes=routes,
        )
        template = Template(path=folder, functions={"Api": function}, machines={})
        self.functions = Functions({"Api": function}, clock=clock, hub=self.hub, alarms=self.alarms, workers=4)
        ports: dict[str, Any] = dict.fromkeys(Engine.__dataclass_fields__)
        self.functions.start(Engine(**ports))
        self.tokens = AccessTokens.of(folder)
        self.server = HttpServer(HttpApi(template, self.functions, self.tokens, clock).app, 0)
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{self.server.port}", timeout=20)

    def headers(self, role: str = "customer", subject: str = "cus_1") -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens.mint(role, subject)}"}

    def close(self) -> None:
        self.client.close()
        self.server.close()
        self.functions.close(20)
        self.alarms.close()
        self.hub.close()


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """One server for all tests of this module: it keeps nothing between requests."""
    opened = Api(tmp_path_factory.mktemp("api"))
    yield opened
    opened.close()


def test_a_request_becomes_the_event_of_the_developer_guide(manual_clock: Any) -> None:
    """The documentation's example of payload format 2.0, without certificates and stage variables."""
    request = HttpRequest(
        method="POST",
        path="/my/path",
        query="parameter1=value1&parameter1=value2&parameter2=value",
        headers=(
            ("header1", "value1"),
            ("header2", "value1"),
            ("header2", "value2"),
            ("cookie", "cookie1; cookie2"),
            ("host", "id.execute-api.us-east-1.amazonaws.com"),
            ("user-agent", "agent"),
        ),
        body=b"Hello from Lambda",
        protocol="HTTP/1.1",
        source_ip="192.0.2.1",
        request_id="id",
        at=manual_clock.now(),
    )
    route = ApiRoute(method="POST", path="/my/{parameter1}", open=False)
    assert event(request, route, {"parameter1": "value1"}, {"claim1": "value1", "claim2": "value2"}) == {
        "version": "2.0",
        "routeKey": "POST /my/{parameter1}",
        "rawPath": "/my/path",
        "rawQueryString": "parameter1=value1&parameter1=value2&parameter2=value",
        "cookies": ["cookie1", "cookie2"],
        "headers": {
            "header1": "value1",
            "header2": "value1,value2",
            "host": "id.execute-api.us-east-1.amazonaws.com",
            "user-agent": "agent",
        },
        "queryStringParameters": {"parameter1": "value1,value2", "parameter2": "value"},
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "expediter",
            "authorizer": {"jwt": {"claims": {"claim1": "value1", "claim2": "value2"}, "scopes": None}},
            "domainName": "id.execute-api.us-east-1.amazonaws.com",
            "domainPrefix": "id",
            "http": {
                "method": "POST",
                "path": "/my/path",
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": "agent",
            },
            "requestId": "id",
            "routeKey": "POST /my/{parameter1}",
            "stage": "$default",
            "time": "14/Mar/2026:12:00:00 +0000",
            "timeEpoch": 1773489600000,
        },
        "body": "Hello from Lambda",
        "pathParameters": {"parameter1": "value1"},
        "isBase64Encoded": False,
    }


def test_an_event_reaches_the_function_over_http(api: Api) -> None:
    """With decoded path parameters, and claims as the texts that API Gateway makes of them."""
    sent = api.client.get("/orders/a%20b?q=1%2B1&q=&empty=", headers=api.headers("courier", "cou_7")).json()
    assert sent["pathParameters"] == {"order_id": "a b"}
    assert sent["queryStringParameters"] == {"q": "1+1,", "empty": ""}
    claims = sent["requestContext"]["authorizer"]["jwt"]["claims"]
    assert (claims["sub"], claims["cognito:groups"]) == ("cou_7", "[courier]")
    assert claims["exp"].isdecimal()
    assert sent["requestContext"]["http"]["sourceIp"] == "127.0.0.1"
    assert "body" not in sent


def test_a_fixed_path_wins_over_one_with_parameters(api: Api) -> None:
    """As at API Gateway."""
    assert api.client.get("/orders/latest", headers=api.headers()).json()["routeKey"] == "GET /orders/latest"


@pytest.mark.parametrize(
    ("kind", "body", "is_text"),
    [
        ("application/json", b'{"a": "\xc3\xa9"}', True),
        ("application/problem+json; charset=utf-8", b"{}", True),
        ("text/plain", b"x", True),
        ("", b"{}", True),
        ("application/octet-stream", b"x", False),
        ("image/png", b"\x89PNG", False),
        ("application/json", b"\xff", False),
    ],
)
def test_a_body_is_text_where_its_type_says_so_and_else_base64(api: Api, kind: str, body: bytes, is_text: bool) -> None:
    """A function gets JSON, which holds no bytes."""
    headers = {**api.headers(), "Content-Type": kind}
    sent = api.client.post("/orders", content=body, headers=headers).json()
    assert sent["isBase64Encoded"] is not is_text
    assert sent["body"] == (body.decode() if is_text else base64.b64encode(body).decode())


def test_an_open_route_needs_no_token(api: Api) -> None:
    """And its event has no authorizer."""
    assert "authorizer" not in api.client.get("/docs").json()["requestContext"]


def token(api: Api, secret: bytes | None = None, algorithm: str | None = "HS256", **changes: Any) -> str:
    claims = jwt.decode(api.tokens.mint("customer", "cus_1"), options={"verify_signature": False}) | changes
    left = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(left, api.tokens._secret if secret is None else secret or None, algorithm=algorithm)  # type: ignore[arg-type]  # no key for no algorithm


REFUSED: list[tuple[str, Callable[[Api], dict[str, str]]]] = [
    ("no token", lambda api: {}),
    ("another scheme", lambda api: {"Authorization": "Basic dXNlcjpwYXNz"}),
    ("no token after the scheme", lambda api: {"Authorization": "Bearer"}),
    ("nonsense", lambda api: {"Authorization": "Bearer nonsense"}),
    ("not even text", lambda api: {"Authorization": "Bearer \u00ff.\u00ff.\u00ff"}),
    ("expired", lambda api: {"Authorization": f"Bearer {api.tokens.mint('customer', 'c', -1)}"}),
    ("no expiry", lambda api: {"Authorization": f"Bearer {token(api, exp=None)}"}),
    ("not yet valid", lambda api: {"Authorization": f"Bearer {token(api, nbf=4102444800)}"}),
    ("another secret", lambda api: {"Authorization": f"Bearer {token(api, b'x' * 32)}"}),
    ("no signature", lambda api: {"Authorization": f"Bearer {token(api, b'', None)}"}),
    ("another algorithm", lambda api: {"Authorization": f"Bearer {token(api, algorithm='HS512')}"}),
    ("another issuer", lambda api: {"Authorization": f"Bearer {token(api, iss='somebody')}"}),
    ("another audience", lambda api: {"Authorization": f"Bearer {token(api, aud='somebody')}"}),
    ("no subject", lambda api: {"Authorization": f"Bearer {token(api, sub=None)}"}),
    ("a cut token", lambda api: {"Authorization": f"Bearer {token(api)[:-2]}"}),
]


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")  # a forger does not mind
@pytest.mark.parametrize(("what", "headers"), REFUSED, ids=[what for what, _ in REFUSED])
def test_a_request_without_a_valid_token_is_401(api: Api, what: str, headers: Callable[[Api], dict[str, str]]) -> None:
    """With a problem document and the scheme to use; the function is not called."""
    sent = {name: value.encode("latin-1") for name, value in headers(api).items()}
    answer = api.client.get("/orders/1", headers=sent)  # type: ignore[arg-type]  # httpx takes bytes
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.json()["status"] == 401


def test_two_authorization_headers_are_401(api: Api) -> None:
    """Otherwise the caller would be unclear."""
    both = [("Authorization", f"Bearer {token(api)}")] * 2
    assert api.client.get("/orders/1", headers=both).status_code == 401


@pytest.mark.parametrize("path", ["/", "/order", "/orders/", "/orders/1/", "/orders/1/2", "//orders", "/Orders/1"])
def test_an_unknown_path_is_404(api: Api, path: str) -> None:
    """Also without a token: there is nothing to protect."""
    answer = api.client.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


def test_another_method_is_405_and_lists_the_allowed_ones(api: Api) -> None:
    """Allow is required by RFC 9110."""
    answer = api.client.delete("/docs")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


def test_allow_lists_the_methods_of_every_route_that_matches_the_path(api: Api) -> None:
    """``/orders/latest`` is matched by a fixed route and by one with a parameter."""
    answer = api.client.delete("/orders/latest")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, PATCH")
    assert api.client.patch("/orders/latest", headers=api.headers()).json()["routeKey"] == "PATCH /orders/{order_id}"


def test_head_is_answered_as_get_without_a_body(api: Api) -> None:
    """The function gets a GET, because the template has no HEAD routes; status and headers are those of GET."""
    got = api.client.get("/orders/1", headers=api.headers())
    head = api.client.head("/orders/1", headers=api.headers())
    assert (head.status_code, head.content) == (got.status_code, b"")
    assert head.headers["content-length"] == got.headers["content-length"]
    assert got.json()["requestContext"]["http"]["method"] == "GET"
    assert api.client.head("/orders/1").status_code == 401
    assert api.client.head("/nowhere").status_code == 404


def test_a_token_that_was_accepted_is_refused_once_it_has_expired(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The claims of a token that was checked are kept, but not beyond its expiry."""
    tokens = AccessTokens.of(tmp_path)
    now_s = time.time()
    token = tokens.mint("customer", "cus_1", ttl_s=60)
    assert tokens.claims(token) == tokens.claims(token)
    monkeypatch.setattr("workflows.embedded.http.tokens.time.time", lambda: now_s + 59)
    assert tokens.claims(token)["sub"] == "cus_1"
    monkeypatch.setattr("workflows.embedded.http.tokens.time.time", lambda: now_s + 61)
    tokens._check = refuse_expired  # type: ignore[method-assign]  # PyJWT reads another clock
    with pytest.raises(TokenRefused):
        tokens.claims(token)


def refuse_expired(_token: str) -> Any:
    raise TokenRefused("the token has expired")


def test_accepted_connections_have_nagles_algorithm_off(api: Api) -> None:
    """Otherwise each request on a kept-alive connection waits 40 ms for a delayed acknowledgement."""
    api.client.get("/docs")
    accepted = [
        connection.transport.get_extra_info("socket")  # type: ignore[union-attr]  # all are HTTP connections
        for connection in api.server._server.server_state.connections
    ]
    assert accepted
    assert all(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) for sock in accepted)


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_over_ten_megabytes_is_413(api: Api, chunked: bool) -> None:
    """API Gateway's quota, whether the length was announced or not."""
    body = b"x" * (BODY_BYTES_MAX + 1)
    content: Any = (body[at : at + 65536] for at in range(0, len(body), 65536)) if chunked else body
    try:
        answer = api.client.post("/orders", content=content, headers=api.headers())
    except (httpx.WriteError, httpx.ReadError):
        return  # the server closed the connection before the end of the body
    assert answer.status_code == 413


def test_headers_over_ten_kilobytes_are_431(api: Api) -> None:
    """Request line and header values together."""
    headers = {**api.headers(), "X-Long": "x" * HEADER_BYTES_MAX}
    assert api.client.get("/orders/1", headers=headers).status_code == 431


def test_a_failed_function_is_a_500_without_details(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    """The caller gets no traceback and no message; the log has the place, by request id."""
    answer = api.client.post("/broken", json={})
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
    [record] = [record for record in caplog.records if record.name.endswith(".http.api")]
    assert vars(record)["request_id"] in answer.json()["detail"]
    assert "secret" not in record.message


ANSWERS: list[tuple[Any, int, str, dict[str, str]]] = [
    ({"statusCode": 201, "body": "made", "headers": {"X-Number": 3}}, 201, "made", {"x-number": "3"}),
    ({"statusCode": "202", "body": ""}, 202, "", {}),
    ({"statusCode": 200, "body": base64.b64encode(b"bytes").decode(), "isBase64Encoded": True}, 200, "bytes", {}),
    ({"statusCode": 200, "cookies": ["a=1"]}, 200, "", {"set-cookie": "a=1"}),
    ({"statusCode": 304, "headers": {"ETag": '"4"'}}, 304, "", {"etag": '"4"'}),
    ({"statusCode": 204}, 204, "", {}),
    ({"no": "status"}, 200, '{"no": "status"}', {"content-type": "application/json"}),
    ("text", 200, '"text"', {"content-type": "application/json"}),
    (None, 200, "null", {"content-type": "application/json"}),
    ({"statusCode": "soon"}, 500, "", {}),
    ({"statusCode": 99}, 500, "", {}),
    ({"statusCode": 200, "body": {"an": "object"}}, 500, "", {}),
    ({"statusCode": 200, "headers": ["a"]}, 500, "", {}),
    ({"statusCode": 200, "headers": {"a": "b\r\nc: d"}}, 500, "", {}),
    ({"statusCode": 200, "body": "%%%", "isBase64Encoded": True}, 500, "", {}),
]


@pytest.mark.parametrize(("result", "status", "body", "headers"), ANSWERS)
def test_a_result_becomes_the_response_that_api_gateway_makes(
    api: Api, result: Any, status: int, body: str, headers: dict[str, str]
) -> None:
    """Format 2.0; a malformed result is a 500."""
    answer = api.client.post("/answer", content=json.dumps(result), headers={"Content-Type": "application/json"})
    assert answer.status_code == status
    assert status == 500 or answer.text == body
    assert headers.items() <= dict(answer.headers).items()


@pytest.mark.parametrize(
    "sent",
    [
        b"nonsense\r\n\r\n",
        b"GET /orders/1 HTTP/1.1\r\n\r\n",
        b"GET /orders/1 HTTP/1.1\r\nHost: a\r\nContent-Length: many\r\n\r\n",
        b"GET /orders/1 HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"GET /orders/1 HTTP/9.9\r\nHost: a\r\n\r\n",
        b"POST /orders HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    ],
)
def test_invalid_http_is_refused_and_the_server_continues(api: Api, sent: bytes) -> None:
    """With a 4xx, or by closing the connection."""
    with socket.create_connection(("127.0.0.1", api.server.port), timeout=20) as connection:
        connection.sendall(sent)
        assert connection.recv(100)[:10] in (b"", b"HTTP/1.1 4", b"HTTP/1.0 4")
    assert api.client.get("/docs").status_code == 200


def test_a_port_that_is_taken_is_refused_by_number(api: Api) -> None:
    """The message says what to do."""
    with pytest.raises(PortTaken, match=str(api.server.port)):
        HttpServer(
            HttpApi(Template(path=Path(), functions={}, machines={}), api.functions, api.tokens, SystemClock()).app,
            api.server.port,
        )


def test_a_token_is_for_a_role_that_exists(api: Api) -> None:
    """The message lists them."""
    with pytest.raises(RoleUnknown, match="customer, restaurant, courier, support, auditor, service"):
        api.tokens.mint("chef", "c")


def test_the_secret_is_created_once_and_readable_by_its_owner_only(tmp_path: Path) -> None:
    """A process that can read it can act in any role."""
    minted = AccessTokens.of(tmp_path).mint("support", "sup_1")
    assert AccessTokens.of(tmp_path).claims(minted)["sub"] == "sup_1"
    assert (tmp_path / "tokens.key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("left", ["", "abcd", "no hex", "\x00"])
def test_an_unusable_secret_is_refused_with_what_to_do(tmp_path: Path, left: str) -> None:
    """An empty secret would accept forged tokens, and a short one can be guessed."""
    (tmp_path / "tokens.key").write_text(left, encoding="ascii")
    with pytest.raises(SecretUnusable, match="delete it to get a new one"):
        AccessTokens.of(tmp_path)


def test_a_secret_whose_creation_was_interrupted_is_created_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process killed before the secret is durable leaves none, not half of one."""

    def killed(_: int) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("workflows.boundary.private_files.os.fsync", killed)
        with pytest.raises(KeyboardInterrupt):
            AccessTokens.of(tmp_path)
    assert not (tmp_path / "tokens.key").exists()
    minted = AccessTokens.of(tmp_path).mint("support", "sup_1")
    assert AccessTokens.of(tmp_path).claims(minted)["sub"] == "sup_1"


def test_one_caller_leaves_places_to_others(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """A caller with many slow requests gets 429, while another caller is served."""
    monkeypatch.setattr("workflows.embedded.http.api.CALLS_PER_CALLER_MAX", 1)
    place = toys.PLACES["one caller"]
    with ThreadPoolExecutor(1) as thread:
        slow = thread.submit(api.client.post, "/gate/one%20caller", headers=api.headers(subject="busy"))
        assert place.came.acquire(timeout=DEADLINE_S)
        refused = api.client.get("/orders/1", headers=api.headers(subject="busy"))
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
        assert api.client.get("/orders/1", headers=api.headers(subject="other")).status_code == 200
        place.gate.set()
        assert slow.result(DEADLINE_S).status_code == 200
    assert api.client.get("/orders/1", headers=api.headers(subject="busy")).status_code == 200


def test_a_request_whose_body_does_not_come_takes_no_place(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise a few stalled requests would shut out all other callers."""
    monkeypatch.setattr("workflows.embedded.http.api.REQUESTS_MAX", 1)
    head = f"POST /orders HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token(api)}\r\nContent-Length: 9\r\n\r\n"
    with socket.create_connection(("127.0.0.1", api.server.port), timeout=DEADLINE_S) as stalled:
        stalled.sendall(head.encode())
        assert api.client.get("/orders/1", headers=api.headers()).status_code == 200
        stalled.sendall(b"123456789")
        assert stalled.recv(12) == b"HTTP/1.1 200"
