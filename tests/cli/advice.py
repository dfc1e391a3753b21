"""Commands that pages print as advice: found in the text, filled in, and parsed."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from typer.core import TyperGroup
from typer.exceptions import TyperException

from workflows.cli.main import parser_of

FILLED_IN = {
    "WHO": "the courier, by phone",
    "WHY": "the device is broken",
    "THEIRS": "an accident",
    "MINUTES": "20",
    "NUMBER": "1",
    "AMOUNT": "1.00",
    "CURRENCY": "EUR",
    "PARTY": "courier",
    "ID": "cou_1",
    "NAME": "sam",
    "TEXT": "called back",
    "ORDER": "ord_26gknzohsbb67u5q7rbppodulm",
    "DIR": "/tmp",
}
"""What a person writes in place of the words in capitals."""

_COMMAND = re.compile(r"expediter (?:'[^'\n]*'|[^;()\n'])+?(?=$|[;)]|[.,](?: |$))", re.MULTILINE)


def commands_in(text: str) -> list[str]:
    """Return the command lines that a text names."""
    return _COMMAND.findall(text)


def filled_in(command: str) -> list[str]:
    """Return the arguments of a command line, without the program. Each word in capitals needs an example."""
    return [re.sub(r"\b[A-Z]{2,}\b", lambda word: FILLED_IN[word[0]], each) for each in shlex.split(command)[1:]]


def parse(command: str) -> Any:
    """Parse a command line as the program does. Return the command.

    Raises:
        AssertionError: It lacks something that it requires, or has what it does not take.
    """
    arguments = filled_in(command)
    group: Any = parser_of(arguments[0])
    context = group.make_context("expediter", list(arguments), resilient_parsing=True)
    try:
        while isinstance(group, TyperGroup):
            name, group, arguments = group.resolve_command(context, arguments)
            assert group is not None, command
            if isinstance(group, TyperGroup):
                context = group.make_context(name, list(arguments), parent=context, resilient_parsing=True)
        group.make_context(name, arguments, parent=context)
    except TyperException as misuse:
        raise AssertionError(f"{command}: {misuse.format_message()}") from None
    return group


def bare_commands_in(text: str) -> Iterator[str]:
    """Yield the commands that a text names without the program, which nobody can copy."""
    groups = parser_of("").commands
    for group, commands in sorted(groups.items()):
        names: Sequence[str] = sorted(getattr(commands, "commands", {}))
        if names:
            yield from re.findall(rf"(?<!expediter )\b{group} (?:{'|'.join(map(re.escape, names))})\b(?! is)", text)


def sentences(file: Path) -> Iterator[str]:
    """Yield the texts in a module that it may print: without docstrings and help, with FILLED for what is computed."""
    tree = ast.parse(file.read_text())
    left_out = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    left_out |= {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.keyword) and node.arg == "help"}
    inner = {id(value) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for value in node.values}
    for node in ast.walk(tree):
        if id(node) in left_out | inner:
            continue
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(each.value) if isinstance(each, ast.Constant) else "FILLED" for each in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def lacks(sentence: str) -> Iterator[str]:
    """Yield what the commands in a sentence lack: an option that is required, or an argument."""
    for start in re.finditer(r"\bexpediter (?=[a-z])", sentence):
        words = re.split(r"\s+", sentence[start.end() :])
        command: Any = parser_of("")
        path = ["expediter"]
        while isinstance(command, TyperGroup) and words and words[0].strip(".,;:)") in command.commands:
            word = words.pop(0)
            path.append(word.strip(".,;:)"))
            command = command.commands[path[-1]]
            if word != path[-1]:
                words = []
        if isinstance(command, TyperGroup):
            continue
        if "--help" in words:
            continue
        given = iter(words)
        for parameter in command.params:
            if not parameter.required or parameter.envvar:
                continue
            is_option = parameter.param_type_name == "option"
            is_there = any(name in words for name in parameter.opts) if is_option else next(given, "").isupper()
            if not is_there:
                yield f"{' '.join(path)}: {parameter.opts[0] if is_option else parameter.name.upper()}"
