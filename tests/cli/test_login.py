"""Logging in to a deployed engine: Cognito as moto plays it; for what moto does not play, a stand-in on loopback."""

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
    """What was asked on loopback, and what is answered: ``answer(path, headers, body)`` gives status and body."""

    answer: Callable[[str, Any, bytes], tuple[int, str]]
    url: str = ""
    asked: list[tuple[str, Any, bytes]] = field(default_factory=list)


@pytest.fixture
def server() -> Iterator[Callable[..., Server]]:
    """Start an HTTP server with this answer, stopped at the end."""
    started: list[ThreadingHTTPServer] = []

    def start(answer: Callable[[str, Any, bytes], tuple[int, str]]) -> Server:
        stub = Server(answer)

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                stub.asked.append((self.path, self.headers, body))
                status, told = stub.answer(self.path, self.headers, body)
                self.send_response(status)
                self.send_header("content-length", str(len(told.encode())))
                self.end_headers()
                self.wfile.write(told.encode())

            do_GET = do_POST  # noqa: N815 - http.server's names

            def log_message(self, *_: object) -> None:
                """Nobody reads it."""

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
    """An engine behind an authorizer that lets one token in, and the user pool that gives it."""

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
        return [headers["Authorization"].removeprefix("Bearer ") for _, headers, _ in self.engine.asked]

    def arguments(self, name: str = "ida") -> tuple[str, ...]:
        return (
            "login", "--url", self.engine.url, "--user-pool-client", self.client_id, "--region", "eu-west-1",
            "--username", name,
        )  # fmt: skip


@pytest.fixture
def deployed(server: Callable[..., Server], monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployed]:
    """A user pool with ida in it, and an engine that takes every token of it."""
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
    """Lines on stdin."""

    def lines(*given: str) -> None:
        monkeypatch.setattr(sys, "stdin", StringIO("".join(f"{line}\n" for line in given)))

    return lines


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where logins are kept in a test: see the fixture ``expediter``."""
    return tmp_path / "config" / "expediter" / "logins.json"


def _kept(file: Path) -> dict[str, Any]:
    (login,) = json.loads(file.read_text(encoding="utf-8"))
    return dict(login)


def test_who_logged_in_is_known_to_the_commands_with_that_address(
    expediter: Any, deployed: Deployed, typed: Any, file: Path
) -> None:
    """The access token goes along; nothing secret is said, and the file is its owner's."""
    typed(PASSWORD)
    result = expediter(*deployed.arguments())
    assert (result.code, result.out) == (0, ""), result.err
    assert f"logged in at {deployed.engine.url} as ida" in result.err
    kept = _kept(file)
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    shown = expediter("circuits", "list", "--json", "--url", deployed.engine.url + "/")
    assert (shown.code, shown.json) == (0, {"circuits": []})
    assert deployed.tokens_seen() == [kept["access_token"]]
    for secret in (PASSWORD, kept["access_token"], kept["refresh_token"]):
        assert secret not in result.err + shown.err
    assert PASSWORD not in file.read_text(encoding="utf-8")


def test_an_access_token_that_is_over_is_renewed_and_kept(
    expediter: Any, deployed: Deployed, typed: Any, file: Path
) -> None:
    """Nobody is asked for anything; the next command has it already."""
    typed(PASSWORD)
    expediter(*deployed.arguments())
    before = _kept(file)
    file.write_text(json.dumps([before | {"expires_at": 0, "access_token": "old"}]), encoding="utf-8")
    for _ in range(2):
        assert expediter("circuits", "list", "--url", deployed.engine.url).code == 0
    after = _kept(file)
    assert after["access_token"] != "old"
    assert after["refresh_token"] == before["refresh_token"]
    assert deployed.tokens_seen() == [after["access_token"]] * 2


def test_a_login_that_is_over_says_how_to_begin_another(
    expediter: Any, deployed: Deployed, typed: Any, file: Path
) -> None:
    """The refresh token lives for days, not for ever."""
    typed(PASSWORD)
    expediter(*deployed.arguments())
    over = _kept(file) | {"expires_at": 0, "refresh_token": "revoked"}
    file.write_text(json.dumps([over]), encoding="utf-8")
    result = expediter("circuits", "list", "--url", deployed.engine.url)
    assert (result.code, result.out, result.err.count("\n")) == (4, "", 1)
    assert f"has expired: Refresh Token has been revoked; expediter login --url {deployed.engine.url}" in result.err
    assert deployed.engine.asked == []


def test_a_second_login_needs_the_password_alone(expediter: Any, deployed: Deployed, typed: Any, file: Path) -> None:
    """The address knows the rest, whatever AWS_REGION says."""
    typed(PASSWORD)
    expediter(*deployed.arguments())
    file.write_text(json.dumps([_kept(file) | {"refresh_token": "revoked"}]), encoding="utf-8")
    typed(PASSWORD)
    again = expediter("login", "--url", deployed.engine.url)
    assert (again.code, "as ida" in again.err) == (0, True)
    assert _kept(file)["refresh_token"] != "revoked"


def test_who_was_invited_chooses_a_password_first(expediter: Any, deployed: Deployed, typed: Any, file: Path) -> None:
    """An administrator made the user with a temporary one."""
    deployed.user("new", new=True)
    typed(PASSWORD, "another-Horse-8", "another-Horse-9")
    differ = expediter(*deployed.arguments("new"))
    assert (differ.code, "the two new passwords differ" in differ.err) == (2, True)
    typed(PASSWORD, "another-Horse-8", "another-Horse-8")
    assert expediter(*deployed.arguments("new")).code == 0
    typed("another-Horse-8")
    assert expediter(*deployed.arguments("new")).code == 0
    assert _kept(file)["username"] == "new"


@pytest.mark.parametrize(
    ("name", "password", "code", "words"),
    [
        ("ida", "wrong", 4, "Incorrect username or password"),
        ("nobody", PASSWORD, 4, "does not exist"),
        ("ida", "", 2, "nothing was given for 'password'"),
    ],
)
def test_who_is_not_known_is_not_let_in(
    *, expediter: Any, deployed: Deployed, typed: Any, file: Path, name: str, password: str, code: int, words: str
) -> None:
    """One line, and nothing is kept."""
    typed(*([password] if password else []))
    result = expediter(*deployed.arguments(name))
    assert (result.code, result.out, result.err.count("\n")) == (code, "", 1), result
    assert words in result.err
    assert not file.exists()


def test_a_login_is_for_its_address_alone(expediter: Any, deployed: Deployed, typed: Any, server: Any) -> None:
    """A token is not shown to whoever else asks."""
    typed(PASSWORD)
    expediter(*deployed.arguments())
    other = server(lambda *_: (200, "{}"))
    result = expediter("circuits", "list", "--url", other.url)
    assert (result.code, other.asked) == (4, [])
    assert f"or log in with expediter login --url {other.url}" in result.err


def test_a_token_from_the_environment_comes_first(
    expediter: Any, deployed: Deployed, typed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Said for this command, it is meant for it."""
    typed(PASSWORD)
    expediter(*deployed.arguments())
    monkeypatch.setenv("EXPEDITER_TOKEN", "given")
    expediter("circuits", "list", "--url", deployed.engine.url)
    assert deployed.tokens_seen() == ["given"]


def test_a_token_from_the_environment_is_not_sent_for_all_to_read(
    expediter: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor is that of a login; nobody is even looked up."""
    monkeypatch.setenv("EXPEDITER_TOKEN", "given")
    result = expediter("circuits", "list", "--url", "http://x.example.com")
    assert (result.code, "unencrypted; use https" in result.err) == (2, True)


@pytest.mark.parametrize(
    ("status", "body", "code", "words"),
    [
        (401, {"message": "Unauthorized"}, 4, "log in again with expediter login --url http://127.0.0.1:"),
        (403, {"message": "Forbidden"}, 1, "Forbidden (answered by the API's gateway)"),
        (500, {"message": "Internal Server Error"}, 3, "the engine could not serve the request (HTTP 500)"),
        (404, {"message": "Not Found"}, 3, "not as Expediter does"),
    ],
)
def test_what_api_gateway_answers_by_itself_is_understood(
    *, expediter: Any, deployed: Deployed, typed: Any, status: int, body: Any, code: int, words: str
) -> None:
    """It speaks no problem documents."""
    typed(PASSWORD)
    expediter(*deployed.arguments())
    deployed.engine.answer = lambda *_: (status, json.dumps(body))
    result = expediter("circuits", "list", "--url", deployed.engine.url)
    assert (result.code, result.err.count("\n")) == (code, 1), result
    assert words in result.err


# --- a stand-in for AWS, which keeps what it is sent -----------------------------------------------------------------

TOKENS = {"AuthenticationResult": {"AccessToken": "a-1", "RefreshToken": "r-1", "IdToken": "i-1", "ExpiresIn": 3600}}
STACK = """<DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><DescribeStacksResult>
<Stacks><member><StackName>food</StackName><StackStatus>CREATE_COMPLETE</StackStatus>
<CreationTime>2026-03-01T12:00:00Z</CreationTime><Outputs>{outputs}</Outputs></member></Stacks>
</DescribeStacksResult></DescribeStacksResponse>"""
ERROR = "<ErrorResponse><Error><Code>{}</Code><Message>{}</Message></Error></ErrorResponse>"
OUTPUT = "<member><OutputKey>{}</OutputKey><OutputValue>{}</OutputValue></member>"


@pytest.fixture
def aws(server: Callable[..., Server], monkeypatch: pytest.MonkeyPatch) -> Server:
    """Whatever is asked of AWS comes here, and is answered with tokens."""
    stub = server(lambda *_: (200, json.dumps(TOKENS)))
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # it keeps the credentials it found first
    monkeypatch.setenv("AWS_ENDPOINT_URL", stub.url)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    return stub


GIVEN = ("--user-pool-client", "client-1", "--region", "eu-west-1", "--username", "ida")


def test_logging_in_needs_no_aws_credentials(expediter: Any, aws: Server, typed: Any) -> None:
    """The call is not signed, and goes where AWS_ENDPOINT_URL says."""
    typed(PASSWORD)
    assert expediter("login", "--url", "https://food.example.com/", *GIVEN).code == 0
    ((_, headers, body),) = aws.asked
    assert headers["X-Amz-Target"].endswith(".InitiateAuth")
    assert headers["Authorization"] is None
    assert json.loads(body) == {
        "AuthFlow": "USER_PASSWORD_AUTH",
        "AuthParameters": {"USERNAME": "ida", "PASSWORD": PASSWORD},
        "ClientId": "client-1",
    }


def test_logging_out_ends_the_tokens_at_cognito_too(expediter: Any, aws: Server, typed: Any, file: Path) -> None:
    """Whoever finds the file later finds nothing of use."""
    typed(PASSWORD)
    expediter("login", "--url", "https://food.example.com", *GIVEN)
    out = expediter("logout", "--url", "https://food.example.com")
    assert (out.code, out.err) == (0, "logged out of https://food.example.com\n")
    _, headers, body = aws.asked[-1]
    assert headers["X-Amz-Target"].endswith(".RevokeToken")
    assert json.loads(body) == {"Token": "r-1", "ClientId": "client-1"}
    assert json.loads(file.read_text(encoding="utf-8")) == []
    again = expediter("logout", "--url", "https://food.example.com")
    assert (again.code, "you are not logged in at https://food.example.com" in again.err) == (2, True)


def test_logging_out_works_without_cognito(expediter: Any, aws: Server, typed: Any, file: Path) -> None:
    """What is here is gone, and the rest is said."""
    typed(PASSWORD)
    expediter("login", "--url", "https://food.example.com", *GIVEN)
    aws.answer = lambda *_: (400, json.dumps({"__type": "UnsupportedOperationException", "message": "no"}))
    out = expediter("logout", "--url", "https://food.example.com")
    assert (out.code, "the tokens could not be revoked" in out.err) == (0, True)
    assert json.loads(file.read_text(encoding="utf-8")) == []


def test_a_code_of_another_device_is_asked_for(expediter: Any, aws: Server, typed: Any) -> None:
    """Where the user pool wants one."""
    answers = iter([{"ChallengeName": "SOFTWARE_TOKEN_MFA", "Session": "s" * 20, "ChallengeParameters": {}}, TOKENS])
    aws.answer = lambda *_: (200, json.dumps(next(answers)))
    typed(PASSWORD, "123456")
    assert expediter("login", "--url", "https://food.example.com", *GIVEN).code == 0
    assert json.loads(aws.asked[-1][2])["ChallengeResponses"] == {
        "USERNAME": "ida",
        "SOFTWARE_TOKEN_MFA_CODE": "123456",
    }


REFUSALS = {
    "ResourceNotFoundException": ("User pool client x does not exist.", 2, "there is no such user pool client"),
    "InvalidParameterException": ("USER_PASSWORD_AUTH flow not enabled for this client", 2, "ALLOW_REFRESH_TOKEN_AUTH"),
    "PasswordResetRequiredException": ("Password reset required", 4, "ask an administrator"),
    "UserNotConfirmedException": ("User is not confirmed.", 4, "User is not confirmed"),
    "TooManyRequestsException": ("Rate exceeded", 1, "Cognito refuses: Rate exceeded"),
    "InvalidPasswordException": ("Password not long enough", 1, "Cognito refuses: Password not long enough"),
}


@pytest.mark.parametrize("kind", REFUSALS)
def test_what_cognito_refuses_is_said_in_one_line(expediter: Any, aws: Server, typed: Any, kind: str) -> None:
    """With what to do, where something can be done."""
    said, code, words = REFUSALS[kind]
    aws.answer = lambda *_: (400, json.dumps({"__type": kind, "message": said}))
    typed(PASSWORD)
    result = expediter("login", "--url", "https://food.example.com", *GIVEN)
    assert (result.code, result.out, result.err.count("\n")) == (code, "", 1), result
    assert words in result.err


def test_a_challenge_that_cannot_be_answered_here_is_named(expediter: Any, aws: Server, typed: Any) -> None:
    """A browser can."""
    aws.answer = lambda *_: (200, json.dumps({"ChallengeName": "WEB_AUTHN", "Session": "s" * 20}))
    typed(PASSWORD)
    result = expediter("login", "--url", "https://food.example.com", *GIVEN)
    assert (result.code, "Cognito asks for WEB_AUTHN" in result.err) == (1, True)


def test_cognito_that_cannot_be_reached_is_said_so(
    expediter: Any, aws: Server, typed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 3, as for an engine that does not answer."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    typed(PASSWORD)
    result = expediter("login", "--url", "https://food.example.com", *GIVEN)
    assert (result.code, result.err.count("\n")) == (3, 1), result
    assert "AWS does not answer for Cognito in eu-west-1" in result.err


def test_an_address_of_cognito_that_is_none_is_no_bug(
    expediter: Any, aws: Server, typed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The environment is input as well."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "garbage")
    typed(PASSWORD)
    result = expediter("login", "--url", "https://food.example.com", *GIVEN)
    assert (result.code, result.err.count("\n")) == (2, 1), result
    assert "see AWS_ENDPOINT_URL" in result.err


def test_a_stack_says_where_it_answers_and_who_knows_its_users(
    expediter: Any, aws: Server, typed: Any, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From its outputs, with the caller's AWS credentials; Cognito is still asked without."""
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
    kept = _kept(file)
    assert [kept[name] for name in ("url", "region", "client_id")] == [
        "https://food.example.com",
        "eu-central-1",
        "client-7",
    ]
    asked = [headers["Authorization"] for _, headers, _ in aws.asked]
    assert asked[0].startswith("AWS4-HMAC-SHA256")
    assert asked[1] is None


def test_the_outputs_are_those_of_the_template() -> None:
    """The two files agree."""
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
def test_a_stack_that_cannot_be_asked_is_said_in_one_line(
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
    """Credentials, region, name, permission, or another stack altogether."""
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
def test_what_is_missing_is_said_in_one_line(
    *, expediter: Any, aws: Server, typed: Any, arguments: str, code: int, words: str
) -> None:
    typed()
    result = expediter(*arguments.split())
    assert (result.code, result.out, result.err.count("\n")) == (code, "", 1), result
    assert words in result.err


def test_a_damaged_file_of_logins_is_named(expediter: Any, aws: Server, file: Path) -> None:
    """It is not overwritten, and nobody is asked for a password first."""
    file.parent.mkdir(parents=True)
    login = {"url": "u", "region": "r", "client_id": "c", "username": "n", "access_token": "a", "refresh_token": "r"}
    wrong = ({"expires_at": "x"}, {"expires_at": None}, {"expires_at": 0, "access_token": "\u00e9"}, {"url": ["u"]})
    listed = [json.dumps([login | {"expires_at": 0} | each]) for each in wrong]
    for text in ("{", '[{"url": "x"}]', "[1]", "1", "[" * 100_000, *listed):
        file.write_text(text, encoding="utf-8")
        result = expediter("circuits", "list", "--url", "https://x.example.com")
        assert (result.code, "is damaged; delete it, and log in again" in result.err) == (2, True)


def test_logins_at_the_same_time_are_all_kept(expediter: Any, file: Path) -> None:
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


def test_a_password_is_not_shown_while_it_is_typed(aws: Server, tmp_path: Path) -> None:
    """On a terminal, which echoes everything else."""
    ours, theirs = pty.openpty()
    environment = os.environ | {"XDG_CONFIG_HOME": str(tmp_path / "config")}
    command = [sys.executable, "-m", "workflows.cli", "login", "--url", "https://food.example.com", *GIVEN[:4]]
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
def test_a_token_that_is_none_is_not_sent_and_not_said(
    expediter: Any, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    """Nor is it passed over for a login: the command would be done as somebody else."""
    monkeypatch.setenv("EXPEDITER_TOKEN", token)
    result = expediter("circuits", "list", "--url", "http://127.0.0.1:1")
    assert (result.code, result.out, result.err.count("\n")) == (4, "", 1), result
    assert "EXPEDITER_TOKEN is empty or not a bearer token" in result.err
    assert not token.strip() or token not in result.err


def test_the_end_of_line_of_a_token_from_a_file_is_no_part_of_it(
    expediter: Any, server: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As ``$(cat FILE)`` drops it and other ways do not."""
    engine = server(lambda *_: (200, '{"circuits": []}'))
    monkeypatch.setenv("EXPEDITER_TOKEN", "given\r\n")
    assert expediter("circuits", "list", "--url", engine.url).code == 0
    assert engine.asked[0][1]["Authorization"] == "Bearer given"


@pytest.mark.parametrize("token", UNSENDABLE)
def test_the_client_says_that_its_token_is_none(token: str) -> None:
    """It is no engine's fault, asking again is of no use, and the token stands in no error."""
    with (
        ExpediterClient("http://127.0.0.1:1", lambda: token) as client,
        pytest.raises(InvalidBearerToken, match="the token is empty or not a bearer token") as unusable,
    ):
        client.circuits()
    assert "s3cr" not in f"{unusable.value!r}"


def test_a_refused_token_says_where_to_get_one_for_that_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """``expediter token`` signs for the engine of a folder; a deployed one takes those of its user pool."""
    monkeypatch.setenv("EXPEDITER_TOKEN", "given")
    refused = ApiProblem(401, "about:blank", "Unauthorized", "Unauthorized", ())
    for url, words in (
        ("https://x.example.com", "expediter login --url https://x.example.com"),
        ("http://127.0.0.1:8080", "expediter token prints a new one"),
    ):
        with pytest.raises(AccessDenied, match=words), connection.connected(url, None, None):
            raise refused
