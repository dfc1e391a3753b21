"""Stores logins in one file in the user's configuration folder, readable by the owner alone.

A login names its engine's address, and its token is sent to that address only.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from workflows.bearer import PlainHttpRefused, UrlInvalid, address_for_token, is_token
from workflows.boundary.private_files import write_private
from workflows.cli.failures import InvalidInput


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """The tokens of one user for an engine's address. ``expires_at`` is the access token's, in seconds since 1970."""

    url: str
    region: str
    client_id: str
    username: str
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_at: float


def address(url: str) -> str:
    """Return the one spelling of an engine's address. Raises InvalidInput if a token must not be sent there."""
    try:
        parts = address_for_token(url.strip())
    except UrlInvalid:
        raise InvalidInput(
            f"--url {url!r} is not the address of an engine, e.g. https://abc.execute-api.eu-west-1.amazonaws.com"
        ) from None
    except PlainHttpRefused:
        raise InvalidInput(f"--url {url!r} would send the token unencrypted; use https") from None
    host, port = parts.hostname or "", parts.port
    named = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{named}{f':{port}' if port else ''}{parts.path.rstrip('/')}"


def find(url: str) -> Login | None:
    """Return the login for an engine's ``address``. Raises InvalidInput if the file is damaged."""
    return _read().get(url)


def urls() -> list[str]:
    """Return the addresses that have a login."""
    return sorted(_read())


def save(login: Login) -> None:
    """Store the login in place of an older one for the same address."""
    with _changed() as logins:
        logins[login.url] = login


def forget(url: str) -> Login | None:
    """Delete the login for an address and return it."""
    with _changed() as logins:
        return logins.pop(url, None)


def _file() -> Path:
    home = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(home) / "expediter" / "logins.json"


def _read() -> dict[str, Login]:
    file = _file()
    try:
        listed = [_login(**each) for each in json.loads(file.read_text(encoding="utf-8"))]
        return {login.url: login for login in listed}
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError, RecursionError):
        raise InvalidInput(f"{file} is damaged; delete it, and log in again") from None
    except OSError as error:
        raise InvalidInput(f"{file} cannot be read: {error.strerror}") from None


def _login(*, expires_at: float, **texts: str) -> Login:
    """Return a login from its JSON. Raises TypeError, ValueError if ``save`` cannot have written it."""
    login = Login(expires_at=float(expires_at), **texts)
    if not all(isinstance(text, str) for text in texts.values()) or not is_token(login.access_token):
        raise ValueError("not a login")
    return login


@contextmanager
def _changed() -> Iterator[dict[str, Login]]:
    """Yield the logins for a change and write them back, under a lock. The file is replaced in one step."""
    file = _file()
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open(file.with_suffix(".lock"), "w", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            logins = _read()
            yield logins
            write_private(file, json.dumps([asdict(login) for login in logins.values()], indent=2))
    except OSError as error:
        raise InvalidInput(f"{file} cannot be written: {error.strerror}") from None
