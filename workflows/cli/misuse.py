"""Errors about arguments that no command takes, with what was probably meant."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from difflib import get_close_matches
from typing import Any

from typer.core import TyperGroup
from typer.exceptions import TyperException

from workflows.cli.failures import InvalidInput

SUGGESTIONS_MAX = 3


def explained(misuse: TyperException, arguments: Sequence[str], all_commands: Callable[[], TyperGroup]) -> InvalidInput:
    """Return the error in one line that ends with what to do.

    Args:
        all_commands: Builds the parser of all commands, which takes 0.2 s of CPU.
    """
    context = getattr(misuse, "ctx", None)  # an option without its value has none
    path = context.command_path if context else _path(arguments, all_commands())
    message = _in_plain_words(" ".join(misuse.format_message().split()).rstrip("."))
    meant = _MEANT.get((path, getattr(misuse, "option_name", "")))
    if meant is not None:
        return InvalidInput(f"{message.partition(' (')[0]}; {meant}")
    missing = re.fullmatch(r"No such command '(.+)'", message)
    if missing and (elsewhere := _elsewhere(missing[1], all_commands())):
        message += f". Did you mean {', '.join(elsewhere)}?"
    return InvalidInput(f"{message} See {path} --help" if message.endswith("?") else f"{message}; see {path} --help")


def _path(arguments: Sequence[str], parser: TyperGroup) -> str:
    """Return the command that the arguments begin with: ``expediter audit verify``."""
    path, command = "expediter", parser
    for argument in arguments:
        within = getattr(command, "commands", {}).get(argument)
        if within is None:
            break
        path, command = f"{path} {argument}", within
    return path


def _elsewhere(name: str, parser: TyperGroup) -> list[str]:
    """Return commands of other groups with this name, or else with one that is nearly the same."""
    paths: dict[str, list[str]] = {}
    for path, command in _all_within("expediter", parser):
        paths.setdefault(command, []).append(f"'{path}'")
    named = paths.get(name) or [path for near in get_close_matches(name, paths, cutoff=0.8) for path in paths[near]]
    return named[:SUGGESTIONS_MAX]


def _all_within(path: str, group: Any) -> Iterator[tuple[str, str]]:
    """Yield the path and the name of each command and group that help shows."""
    for name, command in group.commands.items():
        if not command.hidden:
            yield f"{path} {name}", name
            if isinstance(command, TyperGroup):
                yield from _all_within(f"{path} {name}", command)


def _in_plain_words(message: str) -> str:
    message = re.sub(r"is not a valid int(eger)?( range)?\b", "is not a whole number", message)
    return re.sub(r"is not a valid float( range)?\b", "is not a number", message)


_BY_PERSON = "a customer's orders are found with expediter order search --phone, --email or --name"
_MEANT = {
    ("expediter order list", "--phone"): _BY_PERSON,
    ("expediter order list", "--email"): _BY_PERSON,
    ("expediter order list", "--name"): _BY_PERSON,
    (
        "expediter order list",
        "--id",
    ): "use --id-prefix or --id-suffix with a part of the id, expediter order show ORDER with all of it",
    ("expediter order list", "--error"): "use --cause",
}
"""What to use in place of options that commands do not have and people try."""
