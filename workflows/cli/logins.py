"""Who is logged in where: one file in the user's configuration folder, for its owner alone.

Which engine a login is for is part of it, and its token goes to that address and no other.
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
    """What Cognito gave for an engine's address. ``expires_at``: when the access token does, in seconds since 1970."""

    url: str
    region: str
    client_id: str
    username: str
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_at: float


def address(url: str) -> str:
    """One spelling an engine. Raises InvalidInput for what is none, or would carry a token for all to read."""
    try:
        parts = address_for_token(url.strip())
    except UrlInvalid:
        raise InvalidInput(
            f"--url {url!r} is not the address of an engine, e.g. https://abc.execute-api.eu-west-1.amazonaws.com"
        ) from None
    except PlainHttpRefused:
        raise InvalidInput(f"--url {url!r} would carry the token for all to read; use https") from None
    host, port = parts.hostname or "", parts.port
    named = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{named}{f':{port}' if port else ''}{parts.path.rstrip('/')}"


def find(url: str) -> Login | None:
    """The login for an engine's ``address``. Raises InvalidInput when the file is damaged."""
    return _read().get(url)


def urls() -> list[str]:
    """Where somebody is logged in."""
    return sorted(_read())


def save(login: Login) -> None:
    """Keep it in place of an older one for the same address."""
    with _changed() as logins:
        logins[login.url] = login


def forget(url: str) -> Login | None:
    """Drop the login for an address; what it was."""
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
    """Raises TypeError, ValueError for what ``save`` cannot have written."""
    login = Login(expires_at=float(expires_at), **texts)
    if not all(isinstance(text, str) for text in texts.values()) or not is_token(login.access_token):
        raise ValueError("not a login")
    return login


@contextmanager
def _changed() -> Iterator[dict[str, Login]]:
    """Read, change and write while no other command does. The file is replaced whole, or not at all."""
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
