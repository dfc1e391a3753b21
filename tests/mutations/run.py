"""Break the code on purpose, one place at a time, and see that something notices.

Each mutant gets a copy of the repository in a folder of its own; its check runs there, on the copy alone. Before them
come the controls: copies with a change that means nothing, in which every check has to pass, so that a check which
fails anyway counts for nothing. Exit 1 when a mutant survives, 2 when the run itself is not sound: a text that is no
longer in its file exactly once, a check that cannot run, an import from outside the copy, a control that fails.
"""

from __future__ import annotations

import argparse
import ast
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.mutations.mutant import Check, Mutant, Simulation, Tests
from tests.mutations.mutants import MUTANTS

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "mutations.md"
LEFT_OUT = (".*", "__pycache__", "*.pyc", "build", "dist", "node_modules")
"""What is fetched, built or remembered, which no check of a mutant needs."""

TIME_LIMIT_S = 120
"""For one check; the longest takes a tenth of it on two cores. A mutant that never ends is one that was noticed."""

CONTROL_LIMIT_S = 10 * TIME_LIMIT_S
"""For a control, which runs the checks of many mutants at once."""

VIOLATED = 3
"""How a simulation says that an invariant is broken; an exception of its own exits with 1."""

SIMULATE = f"""
import sys
from pathlib import Path
from workflows.simulation.simulate import simulate_many
from workflows.simulation.world import read_deployed
deployed = read_deployed(Path.cwd())
for seed in map(int, sys.argv[2:]):
    for outcome in simulate_many([seed], deployed, orders=int(sys.argv[1])).failed:
        print(f"seed {{outcome.seed}}:", outcome.violations[0])
        sys.exit({VIOLATED})
"""

IMPORTED = "import domain, handlers, workflows as w; print(domain.__file__, handlers.__file__, w.__file__)"


class NotSound(Exception):
    """The run proves nothing: it has to be repaired before its result counts."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a mutant. ``says`` is the check's own word for it."""

    mutant: Mutant
    caught: bool
    says: str
    seconds: float


def main(argv: Sequence[str] | None = None) -> int:
    """Run the controls and the mutants, print the table, and say with the exit code whether all were caught."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("names", nargs="*", help="mutants to run; all when none is named")
    parser.add_argument("--jobs", type=int, default=2, help="checks that run at the same time")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.relative_to(ROOT)}")
    asked = parser.parse_args(argv)
    began = time.monotonic()
    try:
        mutants = _selected(asked.names)
        for mutant in mutants:
            _mutated(ROOT, mutant)
        with ThreadPoolExecutor(asked.jobs) as pool:
            for passed in pool.map(_control, _checks(mutants)):
                print(passed, file=sys.stderr, flush=True)
            verdicts = [_told(verdict) for verdict in pool.map(_judged, mutants)]
    except NotSound as why:
        print(f"the run is not sound: {why}", file=sys.stderr)
        return 2
    page = _page(verdicts, time.monotonic() - began, asked.jobs)
    print(page)
    if asked.write:
        PAGE.write_text(page + "\n")
    return 0 if all(verdict.caught for verdict in verdicts) else 1


def _selected(names: Sequence[str]) -> list[Mutant]:
    if len({mutant.name for mutant in MUTANTS}) != len(MUTANTS):
        raise NotSound("two mutants have the same name")
    if unknown := set(names) - {mutant.name for mutant in MUTANTS}:
        raise NotSound(f"no mutant is called {', '.join(sorted(unknown))}")
    return [mutant for mutant in MUTANTS if not names or mutant.name in names]


# --- the controls -----------------------------------------------------------------------------------------------------


def _checks(mutants: Sequence[Mutant]) -> list[Check]:
    """What has to pass without a mutant: all tests together, and each range of seeds once."""
    checks = dict.fromkeys(mutant.caught_by for mutant in mutants)
    tests = dict.fromkeys(name for check in checks if isinstance(check, Tests) for name in check.selection)
    ranges = [check for check in checks if isinstance(check, Simulation)]
    return [*([Tests(tuple(tests))] if tests else []), *ranges]


def _control(check: Check) -> str:
    """A change that means nothing changes nothing."""
    began = time.monotonic()
    with _copy() as copy:
        changed = copy / "domain" / "order.py"
        changed.write_text(changed.read_text() + "\n# neutral\n")
        caught, says = _run(check, copy, CONTROL_LIMIT_S)
    if caught:
        raise NotSound(f"without a mutant this fails: {says}")
    what = f"{len(check.selection)} tests" if isinstance(check, Tests) else str(check)
    return f"control passes: {what}, {time.monotonic() - began:.0f} s"


# --- the mutants ------------------------------------------------------------------------------------------------------


def _judged(mutant: Mutant) -> Verdict:
    began = time.monotonic()
    with _copy() as copy:
        (copy / mutant.file).write_text(_mutated(copy, mutant))
        caught, says = _run(mutant.caught_by, copy)
    return Verdict(mutant, caught, says, time.monotonic() - began)


def _told(verdict: Verdict) -> Verdict:
    word = "caught" if verdict.caught else "SURVIVED"
    print(f"{word}: {verdict.mutant.name}, {verdict.seconds:.0f} s: {verdict.says}", file=sys.stderr, flush=True)
    return verdict


def _mutated(root: Path, mutant: Mutant) -> str:
    text = (root / mutant.file).read_text()
    if (found := text.count(mutant.old)) != 1:
        raise NotSound(f"{mutant.name}: its old text is in {mutant.file} {found} times, not once")
    mutated = text.replace(mutant.old, mutant.new)
    try:
        ast.parse(mutated)
    except SyntaxError as error:
        raise NotSound(f"{mutant.name}: {mutant.file} cannot be compiled any more: {error}") from error
    return mutated


# --- one check in one copy --------------------------------------------------------------------------------------------


@contextmanager
def _copy() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="expediter-mutant-") as folder:
        copy = Path(folder).resolve() / "repository"
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*LEFT_OUT))
        yield copy


def _run(check: Check, copy: Path, limit_s: float = TIME_LIMIT_S) -> tuple[bool, str]:
    """Whether the check noticed something, and what it says."""
    imported = _python(copy, ["-c", IMPORTED])[1].split()
    if not imported or not all(Path(path).is_relative_to(copy) for path in imported):
        raise NotSound(f"the copy in {copy} imports {imported}")
    code, output = _python(copy, _command(check), limit_s)
    if code is None:
        return True, f"hangs: not done after {limit_s:.0f} s"
    if code not in {0, 1 if isinstance(check, Tests) else VIOLATED}:
        raise NotSound(f"{check} cannot run (exit {code}):\n{output[-3000:]}")
    return code != 0, _said(check, output) if code else "nothing"


def _command(check: Check) -> list[str]:
    if isinstance(check, Simulation):
        return ["-c", SIMULATE, str(check.orders), *map(str, range(check.first, check.end))]
    return ["-m", "pytest", "-q", "-x", "--no-header", "--tb=line", "-p", "no:cacheprovider", *check.selection]


def _python(copy: Path, arguments: list[str], limit_s: float = TIME_LIMIT_S) -> tuple[int | None, str]:
    """Exit code and output; no code when it ran out of time. What it started ends with it."""
    environment = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0"}
    process = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=copy,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=limit_s)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        return None, process.communicate()[0]
    return process.returncode, output


def _said(check: Check, output: str) -> str:
    """The test that failed, or the invariant that is broken, without the id of an order."""
    if isinstance(check, Simulation):
        return re.sub(r"ord_\w+", "ord_", re.sub(_UUID, "uuid", output.strip().splitlines()[-1]))
    found = re.search(r"^(?:FAILED|ERROR) \S+?::([^\s\[]+)", output, re.MULTILINE)
    return found[1] if found else output.strip().splitlines()[-1]


_UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


# --- the page ---------------------------------------------------------------------------------------------------------


def _page(verdicts: Sequence[Verdict], seconds: float, jobs: int) -> str:
    caught = sum(verdict.caught for verdict in verdicts)
    rows = "\n".join(_row(verdict) for verdict in verdicts)
    return f"""# The code broken on purpose

`make mutants` breaks the code in {len(verdicts)} places, one at a time, each in a copy of its own, and runs the check
that has to notice. Before that every check runs on a copy with a change that means nothing, and has to pass. It fails
when a mutant survives, and when the text it replaces is no longer in its file exactly once. This page is written by the
run itself (`.venv/bin/python -m tests.mutations.run --write`).

{caught} of {len(verdicts)} caught in {seconds:.0f} s, {jobs} at a time, on {_machine()}.

| mutant | the rule it breaks | where | caught by | what that says | s |
|---|---|---|---|---|---|
{rows}"""


def _row(verdict: Verdict) -> str:
    mutant = verdict.mutant
    says = verdict.says if verdict.caught else "**survived**"
    cells = (mutant.name, mutant.breaks, f"`{mutant.file}`", str(mutant.caught_by), says, f"{verdict.seconds:.0f}")
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def _machine() -> str:
    return f"{os.cpu_count()} cores ({platform.machine()}), {platform.system()}, Python {platform.python_version()}"


if __name__ == "__main__":
    sys.exit(main())
