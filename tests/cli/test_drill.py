"""Fault drills: each breaks an engine, is right again after its solution, and is not right before."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from workflows.cli.drills.drill import Drill
from workflows.cli.drills.faults import DRILLS
from workflows.cli.drills.playing import play
from workflows.cli.drills.stage import Stage

RUNBOOK = (Path(__file__).parents[2] / "docs" / "runbook.md").read_text()


@pytest.mark.parametrize("name", DRILLS)
def test_each_drill_is_broken_and_put_right_by_its_solution(expediter: Any, name: str) -> None:
    """With a real engine: the commands that show the fault, and those of the runbook that repair it."""
    ended = expediter("drill", name, "--auto")
    assert ended.code == 0, ended.err
    assert "exit code" not in ended.err
    assert "It is right again." in ended.err


def test_the_drills_are_listed_and_have_their_sections_in_the_runbook(expediter: Any) -> None:
    """A drill practises a section, and the section names the drill."""
    listed = expediter("drill").out
    for name, drill in DRILLS.items():
        assert name in listed
        section = RUNBOOK.partition(f"\n## {drill.section}\n")[2].partition("\n## ")[0]
        assert f"`expediter drill {name}`" in section, drill.section
    assert {each["name"] for each in expediter("drill", "--json").json} == set(DRILLS)
    assert expediter("drill", "earthquake").code == 2


class Repairs:
    """A stage whose fault a person may put right."""

    def __init__(self) -> None:
        self.right = False
        self.ran: list[tuple[str, ...]] = []


@pytest.fixture
def practice() -> Iterator[tuple[Drill, Stage, Repairs]]:
    repairs = Repairs()
    drill = Drill(
        name="practice",
        title="",
        section="",
        prepare=lambda _: None,
        told="Something is wrong in {data}.",
        broken="It was a drill.",
        look=(("order", "list"),),
        repair=(("views", "rebuild"),),
        wrong=lambda _: "" if repairs.right else "the view is empty",
    )
    with ExitStack() as closed:
        yield drill, Stage(Path("/drill"), closed, lambda _: 0), repairs


def test_a_person_is_asked_until_it_is_right(practice: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """The solution is shown only when it is asked for, and what is still wrong each time."""
    drill, stage, repairs = practice
    answers = iter(["", "s", ""])

    def answer(_: str) -> str:
        given = next(answers)
        repairs.right = given == "s" or repairs.right
        return given

    assert play(drill, stage, answer)
    said = capsys.readouterr().err
    assert said.index("still wrong: the view is empty") < said.index("repair: expediter views rebuild")
    assert said.index("repair:") < said.index("It is right again.") < said.index("It was a drill.")


def test_a_person_may_give_up(practice: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """And sees the solution then."""
    drill, stage, _ = practice
    assert not play(drill, stage, lambda _: "q")
    assert "repair: expediter views rebuild" in capsys.readouterr().err


def test_a_drill_that_broke_nothing_fails(practice: Any) -> None:
    """Otherwise a drill that has nothing to find would go unnoticed."""
    drill, stage, repairs = practice
    repairs.right = True
    assert not play(drill, stage, None)


INTERRUPTED = """
import signal, subprocess, sys
from workflows.cli.demo.engine_process import stop
from workflows.cli.drills.stage import open_stage

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell starts what runs in the background without it
with open_stage(lambda words: 0) as stage:
    engine = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
    stage._closed.callback(stop, engine)
    stage.data.mkdir()
    print(stage.data, engine.pid, flush=True)
    signal.pause()
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_a_drill_that_is_stopped_ends_its_engine_and_removes_its_folder(number: signal.Signals) -> None:
    """Otherwise each broken drill leaves a running engine, and a folder with its log."""
    with subprocess.Popen([sys.executable, "-c", INTERRUPTED], stdout=subprocess.PIPE, text=True) as drill:
        assert drill.stdout is not None
        folder, engine = drill.stdout.readline().split()
        assert Path(folder).is_dir()
        drill.send_signal(number)
        drill.wait(20)
    assert not Path(folder).parent.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(int(engine), 0)
