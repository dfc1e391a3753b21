"""Logging in to a deployed engine: against moto's Cognito, and a stub server on loopback for what moto lacks."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from workflows.cli import connection, logins, stack_outputs
from workflows.cli.failures import AccessDenied
from workflows.client import ApiProblem, ExpediterClient, InvalidBearerToken

PASSWORD = "correct-Horse-7"


@dataclass
class Server:
    """A stub server: ``answer(path, headers, body)`` returns status and body; ``requests`` are those it received."""

    answer: Callable[[str, Any, bytes], tuple[int, str]]
    url: str = ""
    requests: list[tuple[str, Any, bytes]] = field(default_factory=list)


@pytest.fixture
def server() -> Iterator[Callable[..., Server]]:
    """Start a stub server with the given answer; it is stopped after the test."""
    started: list[ThreadingHTTPServer] = []

    def start(answer: Callable[[str, Any, bytes], tuple[int, str]]) -> Server:
        stub = Server(answer)

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                stub.requests.append((self.path, self.headers, body))
                status, text = stub.answer(self.path, self.headers, body)
                self.send_response(status)
                self.send_header("content-length", str(len(text.encode())))
                self.end_headers()
                self.wfile.write(text.encode())

            do_GET = do_POST  # noqa: N815 - http.server's names

            def log_message(self, *_: object) -> None:
                """Log nothing."""

        http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        started.append(http)
        threading.Thread(target=http.serve_forever, args=(0.02,), daemon=True).start()
        stub.url = f"http://127.0.0.1:{http.server_port}"
        return stub

    yield start
    for http in started:
        http.shutdown()
        http.server_close()


@dataclass
class Deployed:
    """An engine's stub server, and the user pool that issues its tokens."""

    engine: Server
    pool_id: str
    client_id: str
    cognito: Any
    good: set[str] = field(default_factory=set)

    def user(self, name: str, *, new: bool = False) -> None:
        self.cognito.admin_create_user(UserPoolId=self.pool_id, Username=name, TemporaryPassword=PASSWORD)
        if not new:
            self.cognito.admin_set_user_password(
                UserPoolId=self.pool_id, Username=name, Password=PASSWORD, Permanent=True
            )

    def tokens_seen(self) -> list[str]:
        return [headers["Authorization"].removeprefix("Bearer ") for _, headers, _ in self.engine.requests]

    def arguments(self, name: str = "ida") -> tuple[str, ...]:
        return (
            "login", "--url", self.engine.url, "--user-pool-client", self.client_id, "--region", "eu-west-1",
            "--username", name,
        )  # fmt: skip


@pytest.fixture
def deployed(server: Callable[..., Server], monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployed]:
    """A user pool with the user ida, and an engine that accepts every token."""
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    with mock_aws():
        cognito = boto3.client("cognito-idp", region_name="eu-west-1")
        pool_id = cognito.create_user_pool(PoolName="people")["UserPool"]["Id"]
        flows = ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
        client = cognito.create_user_pool_client(UserPoolId=pool_id, ClientName="cli", ExplicitAuthFlows=flows)
        engine = server(lambda *_: (200, '{"circuits": []}'))
        people = Deployed(engine, pool_id, client["UserPoolClient"]["ClientId"], cognito)
        people.user("ida")
        yield people


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Put these lines on stdin."""

    def lines(*texts: str) -> None:
        monkeypatch.setattr(sys, "stdin", StringIO("".join(f"{line}\n" for line in texts)))

    return lines


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The file in which the fixture ``expediter`` stores logins."""
    return tmp_path / "config" / "expediter" / "logins.json"


def _stored_login(file: Path) -> dict[str, Any]:
    (login,) = json.loads(file.read_text(encoding="utf-8"))
    return dict(login)


def test_after_a_login_commands_with_that_address_send_its_token(
    expediter: Any, deployed: Deployed, typed: Any, file: Path
) -> None:
    """No secret is printed, and only the owner can read the file."""
    typed(PASSWORD)
    result = expediter(*deployed.arguments())
    assert (result.code, result.out) == (0, ""), result.err
    assert f"logged in at {deployed.engine.url} as ida" in result.err
    stored = _stored_login(file)
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    shown = expediter("circuits", "list", "--json", "--url", deployed.engine.url + "/")
    assert (shown.code, shown.json) == (0, {"circuits": []})
    assert deployed.tokens_seen() == [stored["access_token"]]
    for secret in (PASSWORD, stored["access_token"], stored["refresh_token"]):
        assert secret not in result.err + shown.err
    assert PASSWORD not in file.read_text(encoding="utf-8")


def test_an_expired_access_token_is_refreshed_and_stored(
    expediter: Any, deployed: Deployed, typed: Any, file: Path
) -> None:
    """The user types nothing, and the next command uses the stored token."""
    typed(PASSWORD)
    expediter(*deployed.arguments())
    before = _stored_login(file)
    file.write_text(json.dumps([before | {"expires_at": 0, "access_token": "old"}]), encoding="utf-8")
    for _ in range(2):
        assert expediter("circuits", "list", "--url", deployed.engine.url).code == 0
    after = _stored_login(file)
    assert after["access_token"] != "old"
    assert after["refresh_token"] == before["refresh_token"]
    assert deployed.tokens_seen() == [after["access_token"]] * 2


def test_the_error_for_an_expired_login_shows_how_to_log_in_again(
    expediter: Any, deployed: Deployed, typed: Any, file: Path
) -> None:
    """A refresh token is valid for some days only."""
    typed(PASSWORD)
    expediter(*deployed.arguments())
    over = _stored_login(file) | {"expires_at": 0, "refresh_token": "revoked"}
    file.write_text(json.dumps([over]), encoding="utf-8")
    result = expediter("circuits", "list", "--url", deployed.engine.url)
    assert (result.code, result.out, result.err.count("\n")) == (4, "", 1)
    assert f"has expired: Refresh Token has been revoked; expediter login --url {deployed.engine.url}" in result.err
    assert deployed.engine.requests == []


def test_a_second_login_asks_only_for_the_password(expediter: Any, deployed: Deployed, typed: Any, file: Path) -> None:
    """Region, client and user name are stored under the address, and AWS_REGION does not replace them."""
    typed(PASSWORD)
    expediter(*deployed.arguments())
    file.write_text(json.dumps([_stored_login(file) | {"refresh_token": "revoked"}]), encoding="utf-8")
    typed(PASSWORD)
    again = expediter("login", "--url", deployed.engine.url)
    assert (again.code, "as ida" in again.err) == (0, True)
    assert _stored_login(file)["refresh_token"] != "revoked"


def test_an_invited_user_chooses_a_new_password_first(
    expediter: Any, deployed: Deployed, typed: Any, file: Path
) -> None:
    """An administrator created the user with a temporary password."""
    deployed.user("new", new=True)
    typed(PASSWORD, "another-Horse-8", "another-Horse-9")
    differ = expediter(*deployed.arguments("new"))
    assert (differ.code, "the two new passwords differ" in differ.err) == (2, True)
    typed(PASSWORD, "another-Horse-8", "another-Horse-8")
    assert expediter(*deployed.arguments("new")).code == 0
    typed("another-Horse-8")
    assert expediter(*deployed.arguments("new")).code == 0
    assert _stored_login(file)["username"] == "new"


@pytest.mark.parametrize(
    ("name", "password", "code", "words"),
    [
        ("ida", "wrong", 4, "Incorrect username or password"),
        ("nobody", PASSWORD, 4, "does not exist"),
        ("ida", "", 2, "nothing was given for 'password'"),
    ],
)
def test_wrong_credentials_are_refused_in_one_line(
    *, expediter: Any, deployed: Deployed, typed: Any, file: Path, name: str, password: str, code: int, words: str
) -> None:
    """Nothing is stored."""
    typed(*([password] if password else []))
    result = expediter(*deployed.arguments(name))
    assert (result.code, result.out, result.err.count("\n")) == (code, "", 1), result
    assert words in result.err
    assert not file.exists()


def test_a_token_is_sent_only_to_the_address_of_its_login(
    expediter: Any, deployed: Deployed, typed: Any, server: Any
) -> None:
    """Another server must not receive it."""
    typed(PASSWORD)
    expediter(*deployed.arguments())
    other = server(lambda *_: (200, "{}"))
    result = expediter("circuits", "list", "--url", other.url)
    assert (result.code, other.requests) == (4, [])
    assert f"or log in with expediter login --url {other.url}" in result.err


def test_a_token_from_the_environment_takes_precedence_over_a_login(
    expediter: Any, deployed: Deployed, typed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The environment variable is the more specific choice."""
    typed(PASSWORD)
    expediter(*deployed.arguments())
    monkeypatch.setenv("EXPEDITER_TOKEN", "given")
    expediter("circuits", "list", "--url", deployed.engine.url)
    assert deployed.tokens_seen() == ["given"]


def test_a_token_from_the_environment_is_not_sent_unencrypted(expediter: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command ends before a name is resolved or a login is read."""
    monkeypatch.setenv("EXPEDITER_TOKEN", "given")
    result = expediter("circuits", "list", "--url", "http://x.example.com")
    assert (result.code, "unencrypted; use https" in result.err) == (2, True)


@pytest.mark.parametrize(
    ("status", "body", "code", "words"),
    [
        (401, {"message": "Unauthorized"}, 4, "log in again with expediter login --url http://127.0.0.1:"),
        (403, {"message": "Forbidden"}, 1, "Forbidden (answered by the API's gateway)"),
        (500, {"message": "Internal Server Error"}, 3, "the engine could not serve the request (HTTP 500)"),
        (500, {"message": "Internal Server Error"}, 3, "expediter audit verify shows whether its stored data was"),
        (404, {"message": "Not Found"}, 3, "not as Expediter does"),
    ],
)
def test_errors_of_api_gateway_itself_are_reported_in_one_line(
    *, expediter: Any, deployed: Deployed, typed: Any, status: int, body: Any, code: int, words: str
) -> None:
    """API Gateway's own errors are not problem documents."""
    typed(PASSWORD)
    expediter(*deployed.arguments())
    deployed.engine.answer = lambda *_: (status, json.dumps(body))
    result = expediter("circuits", "list", "--url", deployed.engine.url)
    assert (result.code, result.err.count("\n")) == (code, 1), result
    assert words in result.err


# --- a stub of AWS, which records its requests -----------------------------------------------------------------------

TOKENS = {"AuthenticationResult": {"AccessToken": "a-1", "RefreshToken": "r-1", "IdToken": "i-1", "ExpiresIn": 3600}}
STACK = """<DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><DescribeStacksResult>
<Stacks><member><StackName>food</StackName><StackStatus>CREATE_COMPLETE</StackStatus>
<CreationTime>2026-03-01T12:00:00Z</CreationTime><Outputs>{outputs}</Outputs></member></Stacks>
</DescribeStacksResult></DescribeStacksResponse>"""
ERROR = "<ErrorResponse><Error><Code>{}</Code><Message>{}</Message></Error></ErrorResponse>"
OUTPUT = "<member><OutputKey>{}</OutputKey><OutputValue>{}</OutputValue></member>"


@pytest.fixture
def aws(server: Callable[..., Server], monkeypatch: pytest.MonkeyPatch) -> Server:
    """A stub server that receives all calls to AWS and answers with tokens."""
    stub = server(lambda *_: (200, json.dumps(TOKENS)))
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # the default session keeps its first credentials
    monkeypatch.setenv("AWS_ENDPOINT_URL", stub.url)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    return stub


OPTIONS = ("--user-pool-client", "client-1", "--region", "eu-west-1", "--username", "ida")


def test_logging_in_needs_no_aws_credentials(expediter: Any, aws: Server, typed: Any) -> None:
    """The call is unsigned and goes to AWS_ENDPOINT_URL."""
    typed(PASSWORD)
    assert expediter("login", "--url", "https://food.example.com/", *OPTIONS).code == 0
    ((_, headers, body),) = aws.requests
    assert headers["X-Amz-Target"].endswith(".InitiateAuth")
    assert headers["Authorization"] is None
    assert json.loads(body) == {
        "AuthFlow": "USER_PASSWORD_AUTH",
        "AuthParameters": {"USERNAME": "ida", "PASSWORD": PASSWORD},
        "ClientId": "client-1",
    }


def test_logging_out_revokes_the_tokens_at_cognito(expediter: Any, aws: Server, typed: Any, file: Path) -> None:
    """Tokens copied from the file earlier are useless afterwards."""
    typed(PASSWORD)
    expediter("login", "--url", "https://food.example.com", *OPTIONS)
    out = expediter("logout", "--url", "https://food.example.com")
    assert (out.code, out.err) == (0, "logged out of https://food.example.com\n")
    _, headers, body = aws.requests[-1]
    assert headers["X-Amz-Target"].endswith(".RevokeToken")
    assert json.loads(body) == {"Token": "r-1", "ClientId": "client-1"}
    assert json.loads(file.read_text(encoding="utf-8")) == []
    again = expediter("logout", "--url", "https://food.example.com")
    assert (again.code, "you are not logged in at https://food.example.com" in again.err) == (2, True)


def test_logging_out_deletes_the_login_even_if_cognito_refuses(
    expediter: Any, aws: Server, typed: Any, file: Path
) -> None:
    """A warning on stderr says that the tokens were not revoked."""
    typed(PASSWORD)
    expediter("login", "--url", "https://food.example.com", *OPTIONS)
    aws.answer = lambda *_: (400, json.dumps({"__type": "UnsupportedOperationException", "message": "no"}))
    out = expediter("logout", "--url", "https://food.example.com")
    assert (out.code, "the tokens could not be revoked" in out.err) == (0, True)
    assert json.loads(file.read_text(encoding="utf-8")) == []


def test_a_login_asks_for_a_second_factor_if_the_user_pool_requires_it(expediter: Any, aws: Server, typed: Any) -> None:
    """The code of an authenticator app."""
    answers = iter([{"ChallengeName": "SOFTWARE_TOKEN_MFA", "Session": "s" * 20, "ChallengeParameters": {}}, TOKENS])
    aws.answer = lambda *_: (200, json.dumps(next(answers)))
    typed(PASSWORD, "123456")
    assert expediter("login", "--url", "https://food.example.com", *OPTIONS).code == 0
    assert json.loads(aws.requests[-1][2])["ChallengeResponses"] == {
        "USERNAME": "ida",
        "SOFTWARE_TOKEN_MFA_CODE": "123456",
    }


def test_a_second_factor_is_set_up_at_a_login_and_the_login_then_has_the_role(
    expediter: Any, aws: Server, typed: Any, file: Path
) -> None:
    """The pool leaves the roles of support and auditors out of tokens until then, so the token is renewed."""
    later = {"AuthenticationResult": {**TOKENS["AuthenticationResult"], "AccessToken": "with.a.role"}}
    answers = iter([TOKENS, {"SecretCode": "JBSWY3DP"}, {"Status": "SUCCESS"}, {}, later])
    aws.answer = lambda *_: (200, json.dumps(next(answers)))
    typed(PASSWORD, "123456")
    result = expediter("login", "--url", "https://food.example.com", *OPTIONS, "--second-factor")
    assert (result.code, "authenticator app: JBSWY3DP" in result.err) == (0, True), result
    assert _stored_login(file)["access_token"] == "with.a.role"
    calls = [(headers["X-Amz-Target"].partition(".")[2], json.loads(body)) for _, headers, body in aws.requests]
    assert [name for name, _ in calls[1:]] == [
        *("AssociateSoftwareToken", "VerifySoftwareToken", "SetUserMFAPreference", "InitiateAuth")
    ]
    assert calls[2][1]["UserCode"] == "123456"
    assert calls[3][1]["SoftwareTokenMfaSettings"] == {"Enabled": True, "PreferredMfa": True}


def test_a_wrong_code_of_a_new_second_factor_leaves_the_user_without_a_login(
    expediter: Any, aws: Server, typed: Any, file: Path
) -> None:
    """Nothing is required at the next login, which can set it up again."""
    refused = json.dumps({"__type": "EnableSoftwareTokenMFAException", "message": "Code mismatch"})
    answers = iter([(200, json.dumps(TOKENS)), (200, json.dumps({"SecretCode": "JBSWY3DP"})), (400, refused)])
    aws.answer = lambda *_: next(answers)
    typed(PASSWORD, "000000")
    result = expediter("login", "--url", "https://food.example.com", *OPTIONS, "--second-factor")
    assert (result.code, "Cognito refuses: Code mismatch" in result.err) == (1, True), result
    assert not file.exists()


REFUSALS = {
    "ResourceNotFoundException": ("User pool client x does not exist.", 2, "there is no such user pool client"),
    "InvalidParameterException": ("USER_PASSWORD_AUTH flow not enabled for this client", 2, "ALLOW_REFRESH_TOKEN_AUTH"),
    "PasswordResetRequiredException": ("Password reset required", 4, "ask an administrator"),
    "UserNotConfirmedException": ("User is not confirmed.", 4, "User is not confirmed"),
    "TooManyRequestsException": ("Rate exceeded", 1, "Cognito refuses: Rate exceeded"),
    "InvalidPasswordException": ("Password not long enough", 1, "Cognito refuses: Password not long enough"),
}


@pytest.mark.parametrize("kind", REFUSALS)
def test_a_refusal_of_cognito_is_reported_in_one_line(expediter: Any, aws: Server, typed: Any, kind: str) -> None:
    """The line says what to do if the user can do something."""
    message, code, words = REFUSALS[kind]
    aws.answer = lambda *_: (400, json.dumps({"__type": kind, "message": message}))
    typed(PASSWORD)
    result = expediter("login", "--url", "https://food.example.com", *OPTIONS)
    assert (result.code, result.out, result.err.count("\n")) == (code, "", 1), result
    assert words in result.err


def test_an_unsupported_challenge_is_named(expediter: Any, aws: Server, typed: Any) -> None:
    """WebAuthn needs a browser."""
    aws.answer = lambda *_: (200, json.dumps({"ChallengeName": "WEB_AUTHN", "Session": "s" * 20}))
    typed(PASSWORD)
    result = expediter("login", "--url", "https://food.example.com", *OPTIONS)
    assert (result.code, "Cognito asks for WEB_AUTHN" in result.err) == (1, True)


def test_an_unreachable_cognito_is_reported_in_one_line(
    expediter: Any, aws: Server, typed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The exit code is 3, as for an unreachable engine."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    typed(PASSWORD)
    result = expediter("login", "--url", "https://food.example.com", *OPTIONS)
    assert (result.code, result.err.count("\n")) == (3, 1), result
    assert "AWS does not answer for Cognito in eu-west-1" in result.err


def test_an_invalid_endpoint_of_cognito_is_reported_in_one_line(
    expediter: Any, aws: Server, typed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An environment variable is user input, so it must not cause a traceback."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "garbage")
    typed(PASSWORD)
    result = expediter("login", "--url", "https://food.example.com", *OPTIONS)
    assert (result.code, result.err.count("\n")) == (2, 1), result
    assert "see AWS_ENDPOINT_URL" in result.err


def test_a_stack_names_its_api_and_its_user_pool_client(
    expediter: Any, aws: Server, typed: Any, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stack's outputs are read with the caller's AWS credentials; the call to Cognito is unsigned."""
    outputs = OUTPUT.format("ApiUrl", "https://food.example.com/") + OUTPUT.format("ClientId", "client-7")

    def answer(_path: str, headers: Any, _body: bytes) -> tuple[int, str]:
        return (200, json.dumps(TOKENS)) if headers["X-Amz-Target"] else (200, STACK.format(outputs=outputs))

    aws.answer = answer
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    typed(PASSWORD)
    result = expediter("login", "--stack", "food", "--username", "ida")
    assert result.code == 0, result.err
    stored = _stored_login(file)
    assert [stored[name] for name in ("url", "region", "client_id")] == [
        "https://food.example.com",
        "eu-central-1",
        "client-7",
    ]
    signatures = [headers["Authorization"] for _, headers, _ in aws.requests]
    assert signatures[0].startswith("AWS4-HMAC-SHA256")
    assert signatures[1] is None


def test_the_template_has_the_outputs_that_login_reads() -> None:
    """Otherwise ``login --stack`` would fail on every stack."""
    template = (Path(__file__).parents[2] / "template.yaml").read_text(encoding="utf-8")
    outputs = template.partition("\nOutputs:\n")[2]
    for name in (stack_outputs.URL, stack_outputs.CLIENT):
        assert f"\n  {name}:" in f"\n{outputs}"


@pytest.mark.parametrize(
    ("credentials", "region", "answer", "code", "words"),
    [
        (False, "eu-west-1", None, 4, "no AWS credentials"),
        (True, "", None, 2, "set AWS_REGION"),
        (True, "eu-west-1", (200, STACK.format(outputs="")), 2, "has no output ApiUrl and no ClientId"),
        (True, "eu-west-1", (400, ERROR.format("ValidationError", "no such stack")), 2, "food does not exist: no such"),
        (True, "eu-west-1", (403, ERROR.format("AccessDenied", "no")), 4, "AWS denies you access to the stack food"),
        (True, "eu-west-1", (200, "<html>"), 3, "is not AWS"),
    ],
)
def test_a_stack_that_cannot_be_read_is_reported_in_one_line(
    *,
    expediter: Any,
    aws: Server,
    monkeypatch: pytest.MonkeyPatch,
    credentials: bool,
    region: str,
    answer: tuple[int, str] | None,
    code: int,
    words: str,
) -> None:
    """Credentials, region, name or permission are wrong, or it is another stack."""
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    if credentials:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    if answer:
        aws.answer = lambda *_: answer
    result = expediter("login", "--stack", "food", *(["--region", region] if region else []))
    assert (result.code, result.out, result.err.count("\n")) == (code, "", 1), result
    assert words in result.err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ("login", 2, "name the engine with --url, or its stack"),
        ("login --url https://x.example.com", 2, "name the user pool with --user-pool-client and --region"),
        ("login --url http://x.example.com", 2, "unencrypted"),
        ("login --url nonsense", 2, "is not the address of an engine"),
        ("login --url https://x:y", 2, "is not the address of an engine"),
        ("login --url https://x.example.com --user-pool-client c --region eu-west-1", 2, "give --username"),
        ("logout", 2, "you are not logged in"),
        ("circuits list --url https://x.example.com", 4, "log in with expediter login --url https://x.example.com"),
        ("circuits list --url http://x.example.com", 2, "unencrypted"),
    ],
)
def test_missing_options_are_named_in_one_line(
    *, expediter: Any, aws: Server, typed: Any, arguments: str, code: int, words: str
) -> None:
    typed()
    result = expediter(*arguments.split())
    assert (result.code, result.out, result.err.count("\n")) == (code, "", 1), result
    assert words in result.err


def test_a_damaged_login_file_is_named(expediter: Any, aws: Server, file: Path) -> None:
    """It is not overwritten, and the error comes before a password is asked for."""
    file.parent.mkdir(parents=True)
    login = {"url": "u", "region": "r", "client_id": "c", "username": "n", "access_token": "a", "refresh_token": "r"}
    wrong = ({"expires_at": "x"}, {"expires_at": None}, {"expires_at": 0, "access_token": "\u00e9"}, {"url": ["u"]})
    listed = [json.dumps([login | {"expires_at": 0} | each]) for each in wrong]
    for text in ("{", '[{"url": "x"}]', "[1]", "1", "[" * 100_000, *listed):
        file.write_text(text, encoding="utf-8")
        result = expediter("circuits", "list", "--url", "https://x.example.com")
        assert (result.code, "is damaged; delete it, and log in again" in result.err) == (2, True)


def test_concurrent_logins_are_all_stored(expediter: Any, file: Path) -> None:
    """The file is read, changed and replaced under a lock."""

    def save(number: int) -> None:
        logins.save(
            logins.Login(
                url=f"https://{number}.example.com",
                region="eu-west-1",
                client_id="c",
                username="ida",
                access_token="a",
                refresh_token="r",
                expires_at=0,
            )
        )

    threads = [threading.Thread(target=save, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(logins.urls()) == 16
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_password_is_not_echoed(aws: Server, tmp_path: Path) -> None:
    """The terminal echoes the user name only."""
    ours, theirs = pty.openpty()
    environment = os.environ | {"XDG_CONFIG_HOME": str(tmp_path / "config")}
    command = [sys.executable, "-m", "workflows.cli", "login", "--url", "https://food.example.com", *OPTIONS[:4]]
    process = subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True
    )
    os.close(theirs)
    shown = b""
    for prompt, typed_ in ((b"Username: ", b"ida\n"), (b"Password: ", PASSWORD.encode() + b"\n"), (b"logged in", b"")):
        while prompt not in shown:
            shown += os.read(ours, 1024)
        os.write(ours, typed_)
    assert process.wait(60) == 0
    os.close(ours)
    assert b"ida" in shown
    assert PASSWORD.encode() not in shown


UNSENDABLE = ["", " \n", "s3cr\u00e9t-token", "two s3cret-words", "s3cret\x07"]


@pytest.mark.parametrize("token", UNSENDABLE)
def test_an_invalid_token_is_neither_sent_nor_printed(
    expediter: Any, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    """A stored login does not replace it: the command would run as another user."""
    monkeypatch.setenv("EXPEDITER_TOKEN", token)
    result = expediter("circuits", "list", "--url", "http://127.0.0.1:1")
    assert (result.code, result.out, result.err.count("\n")) == (4, "", 1), result
    assert "EXPEDITER_TOKEN is empty or not a bearer token" in result.err
    assert not token.strip() or token not in result.err


def test_a_trailing_end_of_line_is_removed_from_a_token(
    expediter: Any, server: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    """``$(cat FILE)`` drops it, other ways of reading a file do not."""
    engine = server(lambda *_: (200, '{"circuits": []}'))
    monkeypatch.setenv("EXPEDITER_TOKEN", "given\r\n")
    assert expediter("circuits", "list", "--url", engine.url).code == 0
    assert engine.requests[0][1]["Authorization"] == "Bearer given"


@pytest.mark.parametrize("token", UNSENDABLE)
def test_the_client_raises_an_error_of_its_own_for_an_invalid_token(token: str) -> None:
    """The request is not sent, a retry is useless, and the error does not contain the token."""
    with (
        ExpediterClient("http://127.0.0.1:1", lambda: token) as client,
        pytest.raises(InvalidBearerToken, match="the token is empty or not a bearer token") as unusable,
    ):
        client.circuits()
    assert "s3cr" not in f"{unusable.value!r}"


def test_the_error_for_a_refused_token_shows_how_to_get_one_for_that_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """``expediter token`` signs for an embedded engine; a deployed engine accepts tokens of its user pool."""
    monkeypatch.setenv("EXPEDITER_TOKEN", "given")
    refused = ApiProblem(401, "about:blank", "Unauthorized", "Unauthorized", ())
    for url, words in (
        ("https://x.example.com", "expediter login --url https://x.example.com"),
        ("http://127.0.0.1:8080", "expediter token --role ROLE --id ID prints a new one"),
    ):
        with pytest.raises(AccessDenied, match=words), connection.connected(url, None, None):
            raise refused
