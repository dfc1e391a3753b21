"""How a command reaches an engine: its address, a token to be let in with, and what it says when it is refused."""

from __future__ import annotations

import os
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

_MINT = "expediter token prints a new one"


def minted(data: Path, role: str, subject: str, ttl_s: int) -> str:
    """A token of the engine whose folder this is. Raises InvalidInput."""
    from domain.identifiers import InvalidIdentifier, parse_name
    from workflows.embedded.http.tokens import AccessTokens, RoleUnknown, SecretUnusable

    if not (existing_folder(data) / "tokens.key").is_file():
        raise InvalidInput(f"{data} is not the folder of an engine; expediter up --data {data} makes it one")
    try:
        return AccessTokens.of(data).mint(role, parse_name(subject, role), ttl_s)
    except (RoleUnknown, InvalidIdentifier, SecretUnusable) as error:
        raise InvalidInput(str(error)) from None


@contextmanager
def connected(url: str | None, data: Path | None, as_: str | None) -> Iterator[ExpediterClient]:
    """A client of the engine at ``--url``, or of ``--data``, or on the default port. Raises CommandFailed."""
    from workflows.client import ExpediterClient

    address = url or (address_of(data) if data else None) or DEFAULT_URL
    token, another = _token(address, data, as_)
    with explained(another), ExpediterClient(address, token) as client:
        yield client


@contextmanager
def explained(another_token: str = _MINT) -> Iterator[None]:
    """What a client raises, as CommandFailed with a way out."""
    from workflows.client import ApiProblem, EngineUnreachable, InvalidBearerToken

    try:
        yield
    except InvalidBearerToken as unusable:
        raise AccessDenied(f"{unusable}; {another_token}") from None
    except EngineUnreachable as error:
        raise Unreachable(f"{error}; start one with expediter up --data DIR, or name another with --url") from None
    except ApiProblem as problem:
        if problem.status == 401:
            raise AccessDenied(f"{problem.detail.rstrip('.')}; {another_token}") from None
        if problem.status >= 500:
            raise Unreachable(f"the engine could not serve it (HTTP {problem.status}): {problem.detail}") from None
        raise CommandRefused(problem.detail) from None


def _token(url: str, data: Path | None, as_: str | None) -> tuple[Callable[[], str], str]:
    """Where the token of each request comes from, and how to get another when it is refused. Raises CommandFailed."""
    if data is not None:
        role, colon, subject = (as_ or f"support:{_login()}").partition(":")
        if not colon:
            raise InvalidInput(f"--as {as_!r} is not ROLE:ID, e.g. customer:cus_1")
        return partial(minted, data, role, subject, _TOKEN_S), _MINT
    given = os.environ.get("EXPEDITER_TOKEN")
    if given is not None:
        return _of_environment(given.strip(), url)
    return _of_login(url), f"log in again with expediter login --url {url}"


def _of_environment(given: str, url: str) -> tuple[Callable[[], str], str]:
    """An empty one is not passed over: the command would be done as somebody else."""
    from workflows.bearer import is_token
    from workflows.cli import logins

    address = logins.address(url)  # raises for one that would carry the token for all to read
    if not is_token(given):
        raise AccessDenied("EXPEDITER_TOKEN is empty, or is no bearer token; unset it, or set it to one")
    minted_here = address.startswith("http://")  # of a folder's engine; a deployed one answers over TLS
    return lambda: given, _MINT if minted_here else f"unset EXPEDITER_TOKEN and use expediter login --url {url}"


def _of_login(url: str) -> Callable[[], str]:
    """The stored login's access token, renewed and stored again when it is over."""
    from workflows.cli import cognito, logins

    held = logins.find(logins.address(url))
    if held is None:
        raise AccessDenied(
            "no token: set EXPEDITER_TOKEN (expediter token prints one), name the folder with --data DIR, "
            f"or log in with expediter login --url {url}"
        )

    def token() -> str:
        nonlocal held
        assert held is not None  # it was found above
        if not cognito.is_fresh(held):
            held = cognito.renewed(held)
            logins.save(held)
        return held.access_token

    return token


_TOKEN_S = 300  # each request has its own


def _login() -> str:
    """Who sits here, as an id: it stands in the history of what they do."""
    import getpass
    import re

    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # no such user in this container
        name = "unknown"
    return re.sub(r"[^A-Za-z0-9_.-]", "-", name).lstrip("_.-")[:64] or "unknown"
