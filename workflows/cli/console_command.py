"""``expediter console``: open the web console of an engine in a browser that is logged in."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from workflows.cli.failures import CommandFailed, Unreachable
from workflows.cli.options import As, Data, Json, Url
from workflows.cli.terminal import print_json, say


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command()(console)


def console(
    *,
    order: Annotated[
        str | None, typer.Option("--order", metavar="ORDER", help="Open this order's page.  [default: the home page]")
    ] = None,
    browser: Annotated[bool, typer.Option(help="Open a browser, or only print the address.")] = True,
    url: Url = None,
    data: Data = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """Open the web console, logged in by a one-time code.

    The address that is printed works once and within a minute. The token itself is never in an address: the page
    exchanges the code for it and keeps it in memory. A reloaded page needs a new code.
    """
    from workflows.cli.connection import bearer

    address, token = bearer(url, data, as_)
    path = f"orders/{order}" if order else ""
    if json:
        login = one_time_login(address, token)
        print_json({"url": f"{address}/console/{path}#code={login['code']}", "expires_at": login["expires_at"]})
    else:
        open_console(address, token, path, browser=browser)


def open_console(address: str, token: str, path: str, *, browser: bool = True) -> None:
    """Print the address of a page, with a code that logs in once, and open it. Raises CommandFailed."""
    opened = f"{address}/console/{path}#code={one_time_login(address, token)['code']}"
    print(opened, flush=True)
    if browser:
        import webbrowser

        if not webbrowser.open(opened):
            say("no browser could be opened; open the address above within a minute")


def one_time_login(address: str, token: str) -> dict[str, Any]:
    """Return a one-time code for a token, and when it expires. Raises CommandFailed."""
    import httpx

    try:
        answer = httpx.post(f"{address}/console/login-codes", headers={"Authorization": f"Bearer {token}"}, timeout=10)
    except httpx.TransportError as error:
        raise Unreachable(f"no engine answers at {address}: {error}") from None
    if answer.status_code == httpx.codes.NOT_FOUND:
        raise CommandFailed(f"{address} logs in on its own page: open {address}/console/")
    if answer.is_error:
        raise CommandFailed(f"the engine refused the login: {answer.json()['detail']}")
    made: dict[str, Any] = answer.json()
    return made
