"""Connects a command to an engine: its address, a token, and error messages that say what to do."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from workflows.cli.failures import AccessDenied, CommandRefused, InvalidInput, Unreachable
from workflows.cli.folder import address_of
from workflows.cli.inputs import existing_folder

if TYPE_CHECKING:
    from workflows.client import ExpediterClient

DEFAULT_URL = "http://127.0.0.1:8080"

_NEW_TOKEN = "expediter token --role ROLE --id ID prints a new one"

_FIND_BY_PART = "an order is found by a part of its id with expediter order list --id-prefix or --id-suffix"

_LOOK = "if it is about one order, expediter audit verify shows whether its stored data was changed"
"""The command that names the place in an order that was changed."""

_RETRY_FOR_S = 2.0
"""A person waits: a wrong address is reported soon. Programs use the client's own default."""


def hint(command: str, url: str | None, data: Path | None) -> str:
    """Return a command line to print, with the options that reach the same engine, quoted for a shell."""
    engine = ("--data", str(data)) if data is not None else ("--url", url) if url else ()
    return " ".join(["expediter", command, *(shlex.quote(word) for word in engine)])


def minted(data: Path, role: str, subject: str, ttl_s: int) -> str:
    """Return a token for the engine of this folder. Raises InvalidInput."""
    from domain.identifiers import InvalidIdentifier, parse_name
    from workflows.boundary.private_files import SecretUnusable
    from workflows.embedded.http.tokens import AccessTokens, RoleUnknown

    if not (existing_folder(data) / "tokens.key").is_file():
        raise InvalidInput(f"{data} is not the folder of an engine; expediter up --data {data} makes it one")
    try:
        return AccessTokens.of(data).mint(role, parse_name(subject, role), ttl_s)
    except (RoleUnknown, InvalidIdentifier, SecretUnusable) as error:
        raise InvalidInput(str(error)) from None


@contextmanager
def connected(url: str | None, data: Path | None, as_: str | None) -> Iterator[ExpediterClient]:
    """Open a client of the engine at ``--url``, of the folder ``--data``, or on the default port.

    Raises:
        Unreachable: No engine runs on the folder. The default port may be that of an engine on another folder, which
            accepts the same tokens if this folder is a copy of it.
        CommandFailed: In place of each error of the client.
    """
    from workflows.client import ExpediterClient

    start = _start(data)
    address = _address(url, data)
    token, another_token = _token(address, data, as_)
    with explained(another_token, start), ExpediterClient(address, token, retry_for_s=_RETRY_FOR_S) as client:
        yield client


def bearer(url: str | None, data: Path | None, as_: str | None) -> tuple[str, str]:
    """Return the address of an engine and a token for it, valid for an hour. Raises CommandFailed."""
    address = _address(url, data)
    token, _ = _token(address, data, as_, _LOGIN_TTL_S)
    return address.rstrip("/"), token()


def _address(url: str | None, data: Path | None) -> str:
    address = url or (address_of(data) if data else DEFAULT_URL)
    if address is None:
        raise Unreachable(f"no engine runs on {data}; start one with {_start(data)}, or name another with --url")
    return address


def _start(data: Path | None) -> str:
    return f"expediter up --data {shlex.quote(str(data)) if data else 'DIR'}"


@contextmanager
def explained(another_token: str = _NEW_TOKEN, start: str = "expediter up --data DIR") -> Iterator[None]:
    """Turn errors of the client into CommandFailed.

    Args:
        another_token: How to get another token, for the error when the engine refuses this one.
        start: The command that starts an engine, for the error when none answers.
    """
    from workflows.client import ApiProblem, EngineUnreachable, InvalidBearerToken

    try:
        yield
    except InvalidBearerToken as error:
        raise AccessDenied(f"{error}; {another_token}") from None
    except EngineUnreachable as error:
        raise Unreachable(f"{error}; start one with {start}, or name another with --url") from None
    except ApiProblem as problem:
        errors = [{"field": field, "problem": what} for field, what in problem.errors]
        details = {"problem": problem.name, "status": problem.status, "errors": errors}
        if problem.status == 401:
            raise AccessDenied(f"{problem.detail.rstrip('.')}; {another_token}", details) from None
        if problem.status >= 500:
            look = f"; {_LOOK}" if problem.status == 500 else ""
            message = f"the engine could not serve the request (HTTP {problem.status}): {problem.detail}{look}"
            raise Unreachable(message, details) from None
        by_part = f"; {_FIND_BY_PART}" if any(field == "order_id" for field, _ in problem.errors) else ""
        raise CommandRefused(f"{problem.detail}{by_part}", details) from None


def _token(url: str, data: Path | None, as_: str | None, ttl_s: int | None = None) -> tuple[Callable[[], str], str]:
    """Return a function that gives each request its token, and how to get another token. Raises CommandFailed."""
    if data is not None:
        role, colon, subject = (as_ or f"support:{login_name()}").partition(":")
        if not colon:
            raise InvalidInput(f"--as {as_!r} is not ROLE:ID, e.g. customer:cus_1")
        return partial(minted, data, role, subject, ttl_s or _TOKEN_TTL_S), _NEW_TOKEN
    from_environment = os.environ.get("EXPEDITER_TOKEN")
    if from_environment is not None:
        return _token_of_environment(from_environment.strip(), url)
    return _token_of_login(url), f"log in again with expediter login --url {url}"


def _token_of_environment(token: str, url: str) -> tuple[Callable[[], str], str]:
    """Use EXPEDITER_TOKEN. An empty one is an error: the stored login would act under another name."""
    from workflows.bearer import is_token
    from workflows.cli import logins

    address = logins.address(url)  # raises for an address that would reveal the token
    if not is_token(token):
        raise AccessDenied("EXPEDITER_TOKEN is empty or not a bearer token; set it to one, or unset it")
    is_local = address.startswith("http://")  # the engine of a folder; a deployed one answers over TLS
    return lambda: token, _NEW_TOKEN if is_local else f"unset EXPEDITER_TOKEN and use expediter login --url {url}"


def _token_of_login(url: str) -> Callable[[], str]:
    """Use the stored login's access token, renewed and stored again when it has expired."""
    from workflows.cli import cognito, logins

    login = logins.find(logins.address(url))
    if login is None:
        raise AccessDenied(
            "no token: set EXPEDITER_TOKEN (expediter token --role ROLE --id ID prints one), name the folder with "
            f"--data DIR, or log in with expediter login --url {url}"
        )

    def token() -> str:
        nonlocal login
        assert login is not None  # checked above
        if not cognito.is_fresh(login):
            login = cognito.renewed(login)
            logins.save(login)
        return login.access_token

    return token


_TOKEN_TTL_S = 300  # each request gets a token of its own

_LOGIN_TTL_S = 3600  # of a browser, as long as a token of Cognito


def as_auditor(as_: str | None) -> str:
    """Return who acts in a command for auditors, with ``--data``."""
    return as_ or f"auditor:{login_name()}"


def login_name() -> str:
    """Return the operating system's user name as an id, for the history of what the user does."""
    import getpass
    import re

    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # no such user in this container
        name = "unknown"
    return re.sub(r"[^A-Za-z0-9_.-]", "-", name).lstrip("_.-")[:64] or "unknown"
