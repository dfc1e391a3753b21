"""Play a drill: for a person, who looks and repairs in another terminal, or by itself."""

from __future__ import annotations

from collections.abc import Callable

from workflows.cli.drills.drill import Drill
from workflows.cli.drills.stage import PATIENCE_S, Stage
from workflows.cli.terminal import printable, say

_PROMPT = "Enter: check. s: show the solution. d: do it. q: give up. "


def play(drill: Drill, stage: Stage, answer: Callable[[str], str] | None) -> bool:
    """Break something, and return whether it was put right.

    Args:
        answer: Asks the person; None plays the drill by itself.
    """
    say(f"preparing the drill {drill.name} ...")
    drill.prepare(stage)
    say(drill.told.format_map(stage.names))
    say(f"The engine's folder is {stage.names['data']}. The runbook has a section: {drill.section}.")
    right = _by_itself(drill, stage) if answer is None else _with_person(drill, stage, answer)
    say(drill.broken.format_map(stage.names))
    return right


def _by_itself(drill: Drill, stage: Stage) -> bool:
    for words in drill.look:
        say(f"look:   {stage.text(words)}")
        done = stage.run(*words)
        lines = (done.out + done.err).strip().splitlines()
        for line in lines[:4]:
            say(f"        {printable(line)}")
    stage.patience_s = 0.0
    before = drill.wrong(stage)
    stage.patience_s = PATIENCE_S
    say(f"wrong:  {before or 'nothing'}")
    _solve(drill, stage)
    return bool(before) and _checked(drill, stage)


def _with_person(drill: Drill, stage: Stage, answer: Callable[[str], str]) -> bool:
    say("Find out what is wrong, and put it right, in another terminal.")
    while True:
        match answer(_PROMPT).strip().lower():
            case "q":
                _show(drill, stage)
                return False
            case "s":
                _show(drill, stage)
            case "d":
                _solve(drill, stage)
                return _checked(drill, stage)
            case _:
                if _checked(drill, stage):
                    return True


def _show(drill: Drill, stage: Stage) -> None:
    for name, commands in (("look:  ", drill.look), ("repair:", drill.repair)):
        for words in commands:
            say(f"{name} {stage.text(words)}")


def _solve(drill: Drill, stage: Stage) -> None:
    for words in drill.repair:
        say(f"repair: {stage.text(words)}")
        done = stage.run(*words)
        if done.code != 0:
            say(f"        exit code {done.code}: {printable(done.err.strip())}")


def _checked(drill: Drill, stage: Stage) -> bool:
    wrong = drill.wrong(stage)
    say(f"still wrong: {wrong}" if wrong else "It is right again.")
    return not wrong
