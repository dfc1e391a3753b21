"""``expediter login`` and ``expediter logout``: store and delete a login at a deployed engine."""

from __future__ import annotations

import getpass
import sys
from typing import Annotated

import typer

from workflows.cli.failures import CommandFailed, InvalidInput
from workflows.cli.options import Url
from workflows.cli.terminal import say


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command()(login)
    app.command()(logout)


def login(
    *,
    url: Url = None,
    stack: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Read the other options from this CloudFormation stack, with your AWS credentials."
        ),
    ] = None,
    user_pool_client: Annotated[
        str | None, typer.Option(metavar="ID", help="The client of the engine's Cognito user pool. It is not a secret.")
    ] = None,
    region: Annotated[
        str | None, typer.Option(envvar=["AWS_REGION", "AWS_DEFAULT_REGION"], help="The AWS region of the user pool.")
    ] = None,
    username: Annotated[str | None, typer.Option(help="Prompted for if it is left out.")] = None,
    second_factor: Annotated[
        bool,
        typer.Option(
            "--second-factor", help="Set up an authenticator app. Support and auditors have no role without one."
        ),
    ] = False,
) -> None:
    """Log in to a deployed engine. Commands with its --url then use this login.

    The password is prompted for, or read from stdin if that is not a terminal. Options of an earlier login at the same
    address can be left out.
    """
    from workflows.cli import cognito, logins
    from workflows.cli.stack_outputs import stack_outputs

    if stack is not None:
        found = stack_outputs(stack, region)
        url, user_pool_client, region = url or found.url, user_pool_client or found.client_id, found.region
    if url is None:
        raise InvalidInput("name the engine with --url, or its stack with --stack")
    address = logins.address(url)
    before = logins.find(address)
    client_id = user_pool_client or (before.client_id if before else None)
    where = region if region and user_pool_client else (before.region if before else region)
    if client_id is None or where is None:
        raise InvalidInput(
            "name the user pool with --user-pool-client and --region, or the engine's stack with --stack"
        )
    name = username or (before.username if before else None) or _visible("Username: ")
    login = cognito.logged_in(url=address, region=where, client_id=client_id, username=name, ask=_hidden)
    if second_factor:
        login = cognito.with_second_factor(login, ask=_hidden, show=say)
    logins.save(login)
    say(f"logged in at {address} as {name}; give --url {address} to other commands, or set EXPEDITER_URL")


def logout(*, url: Url = None) -> None:
    """Log out of an engine. The stored login is deleted and its tokens are revoked."""
    from workflows.cli import cognito, logins

    if url is None:
        listed = ", ".join(logins.urls())
        raise InvalidInput(
            f"name the engine with --url; you are logged in at {listed}" if listed else "you are not logged in"
        )
    address = logins.address(url)
    login = logins.forget(address)
    if login is None:
        raise InvalidInput(f"you are not logged in at {address}")
    try:
        cognito.revoke(login)
    except CommandFailed as failure:
        say(f"logged out here; the tokens could not be revoked and are valid until they expire ({failure})")
    else:
        say(f"logged out of {address}")


def _hidden(prompt: str) -> str:
    """Prompt without showing what is typed, or read a line of stdin. Raises InvalidInput if it is empty."""
    try:
        given = getpass.getpass(prompt) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
    except EOFError:
        given = ""
    if not given:
        raise InvalidInput(f"nothing was given for {prompt.rstrip(': ').lower()!r}; type it, or give it on stdin")
    return given


def _visible(prompt: str) -> str:
    """Prompt on stderr and return the answer. Raises InvalidInput without a terminal."""
    if not sys.stdin.isatty():
        raise InvalidInput("give --username; stdin is read for the password")
    print(prompt, end="", file=sys.stderr, flush=True)
    given = sys.stdin.readline().strip()
    if not given:
        raise InvalidInput("no username was given")
    return given
