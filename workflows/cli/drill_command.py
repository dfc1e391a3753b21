"""``expediter drill``: practise the runbook on a throw-away engine with a fault."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated

import typer

from workflows.cli.failures import Exit, InvalidInput
from workflows.cli.terminal import data_console, print_json, table


def add_to(app: typer.Typer, run: Callable[[Sequence[str]], int]) -> None:
    """Register the command.

    Args:
        run: Runs another command in this process; returns its exit code.
    """

    @app.command()
    def drill(
        name: Annotated[str | None, typer.Argument(metavar="DRILL", help="Without it, the drills are listed.")] = None,
        *,
        auto: Annotated[bool, typer.Option("--auto", help="Look, repair and check without a person.")] = False,
        json: Annotated[bool, typer.Option("--json", help="List the drills as JSON.")] = False,
    ) -> int:
        """Practise the runbook: an engine of its own is broken, and you find out why and put it right.

        The engine is in a temporary folder, which is removed at the end; no other engine is touched. Exit code 1 if it
        was not put right.
        """
        if name is None:
            _list(json=json)
            return Exit.OK
        return Exit.OK if _played(name, run, auto=auto) else Exit.NO


def _played(name: str, run: Callable[[Sequence[str]], int], *, auto: bool) -> bool:
    from workflows.cli.drills.faults import DRILLS
    from workflows.cli.drills.playing import play
    from workflows.cli.drills.stage import open_stage

    if name not in DRILLS:
        raise InvalidInput(f"there is no drill {name!r}; expediter drill lists them: {', '.join(DRILLS)}")
    with open_stage(run) as stage:
        return play(DRILLS[name], stage, None if auto else input)


def _list(*, json: bool) -> None:
    from workflows.cli.drills.faults import DRILLS

    if json:
        print_json([{"name": each.name, "title": each.title, "section": each.section} for each in DRILLS.values()])
        return
    rows = table("drill", "what happened", "section of the runbook")
    for each in DRILLS.values():
        rows.add_row(each.name, each.title, each.section)
    data_console().print(rows)
