"""``expediter login`` and ``expediter logout``: who you are to a deployed engine."""

from __future__ import annotations

import getpass
import sys
from typing import Annotated

import typer

from workflows.cli.failures import CommandFailed, InvalidInput
from workflows.cli.terminal import say

Url = Annotated[str | None, typer.Option("--url", envvar="EXPEDITER_URL", help="Where the engine answers.")]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command()(login)
    app.command()(logout)


def login(
    *,
    url: Url = None,
    stack: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Ask CloudFormation for what is not given, with your AWS credentials."),
    ] = None,
    user_pool_client: Annotated[
        str | None, typer.Option(metavar="ID", help="Of the engine's Cognito user pool; it is no secret.")
    ] = None,
    region: Annotated[
        str | None, typer.Option(envvar=["AWS_REGION", "AWS_DEFAULT_REGION"], help="Where the user pool is.")
    ] = None,
    username: Annotated[str | None, typer.Option(help="Asked for when it is not given.")] = None,
) -> None:
    """Log in to a deployed engine; other commands with its --url are you from then on, until you log out.

    The password is asked for, or read from stdin where that is no terminal. What an earlier login at the same address
    was given need not be given again.
    """
    from workflows.cli import cognito, logins
    from workflows.cli.stack_outputs import stack_outputs

    if stack is not None:
        found = stack_outputs(stack, region)
        url, user_pool_client, region = url or found.url, user_pool_client or found.client_id, found.region
    if url is None:
        raise InvalidInput("say where the engine is with --url, or name its --stack")
    address = logins.address(url)
    before = logins.find(address)
    client_id = user_pool_client or (before.client_id if before else None)
    where = region if region and user_pool_client else (before.region if before else region)
    if client_id is None or where is None:
        raise InvalidInput("say with --user-pool-client and --region who knows you, or name the engine's --stack")
    name = username or (before.username if before else None) or _visible("Username: ")
    logins.save(cognito.logged_in(url=address, region=where, client_id=client_id, username=name, ask=_hidden))
    say(f"logged in at {address} as {name}; give --url {address} to other commands, or set EXPEDITER_URL")


def logout(*, url: Url = None) -> None:
    """Log out of an engine: the login is forgotten here, and its tokens end at Cognito."""
    from workflows.cli import cognito, logins

    if url is None:
        listed = ", ".join(logins.urls())
        raise InvalidInput(
            f"say where with --url; you are logged in at {listed}" if listed else "you are logged in nowhere"
        )
    address = logins.address(url)
    login = logins.forget(address)
    if login is None:
        raise InvalidInput(f"you are not logged in at {address}")
    try:
        cognito.revoke(login)
    except CommandFailed as failure:
        say(f"logged out here; Cognito could not be told, its tokens end by themselves ({failure})")
    else:
        say(f"logged out of {address}")


def _hidden(prompt: str) -> str:
    """What is typed unseen, or the next line of stdin. Raises InvalidInput for nothing."""
    try:
        given = getpass.getpass(prompt) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
    except EOFError:
        given = ""
    if not given:
        raise InvalidInput(f"nothing was given for {prompt.rstrip(': ').lower()!r}; type it, or give it on stdin")
    return given


def _visible(prompt: str) -> str:
    """What is typed after a question on stderr. Raises InvalidInput where nobody is to be asked."""
    if not sys.stdin.isatty():
        raise InvalidInput("say who you are with --username; stdin is for the password")
    print(prompt, end="", file=sys.stderr, flush=True)
    given = sys.stdin.readline().strip()
    if not given:
        raise InvalidInput("no username was given")
    return given
