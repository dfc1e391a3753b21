"""Break the code on purpose, in one place at a time, and check that a test detects it.

Each mutant gets a copy of the repository in a folder of its own, where its check runs. Controls run first: copies with
a harmless change, in which every check must pass, so that a check that always fails does not count. Exit code 1: a
mutant survived. Exit code 2: the run itself is not sound, because a text is not in its file exactly once, a check
cannot run, modules are imported from outside the copy, or a control fails.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.mutations.mutant import Check, Mutant, SelectedTests, Simulation
from tests.mutations.mutants import MUTANTS

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "mutations.md"
LEFT_OUT = (".*", "__pycache__", "*.pyc", "build", "dist", "node_modules")
"""Downloaded, built and cached files, which the checks do not need."""

TRANSLATOR = ".tools/sam"
"""The exception: tests of the stacks translate their templates by it. Each copy has a link to it."""

TIME_LIMIT_S = 120
"""For one check; the longest takes a tenth of it on two cores. A mutant that makes its check hang counts as caught."""

CONTROL_LIMIT_S = 10 * TIME_LIMIT_S
"""For a control, which runs the checks of many mutants."""

VIOLATED = 3
"""Exit code of a simulation that breaks an invariant or raises an error; one that cannot begin exits with 1."""

SIMULATE = f"""
import sys
from pathlib import Path
from workflows.simulation.simulate import simulate_many
from workflows.simulation.releases import read_deployed
deployed = read_deployed(Path.cwd())
for seed in map(int, sys.argv[2:]):
    for result in simulate_many([seed], deployed, orders=int(sys.argv[1])).failed:
        print(f"seed {{result.seed}}:", result.violations[0])
        sys.exit({VIOLATED})
"""

IMPORTED = "import domain, handlers, workflows as w; print(domain.__file__, handlers.__file__, w.__file__)"


class NotSound(Exception):
    """The run has no valid result and must be repaired."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of one mutant. ``detail`` is the failed test or the broken invariant."""

    mutant: Mutant
    caught: bool
    detail: str
    seconds: float


def main(argv: Sequence[str] | None = None) -> int:
    """Run the controls and the mutants, and print the table. The exit code is 0 if all mutants were caught."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("names", nargs="*", help="mutants to run (default: all)")
    parser.add_argument("--jobs", type=int, default=2, help="checks that run at the same time")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.relative_to(ROOT)}")
    options = parser.parse_args(argv)
    began = time.monotonic()
    try:
        mutants = _selected(options.names)
        for mutant in mutants:
            mutated_text(ROOT, mutant)
        with ThreadPoolExecutor(options.jobs) as pool:
            for passed in pool.map(_control, _checks(mutants)):
                print(passed, file=sys.stderr, flush=True)
            verdicts = [_reported(verdict) for verdict in pool.map(_judged, mutants)]
    except NotSound as error:
        print(f"the run is not sound: {error}", file=sys.stderr)
        return 2
    page = _page(verdicts, time.monotonic() - began, options.jobs)
    print(page)
    if options.write:
        PAGE.write_text(page + "\n")
    return 0 if all(verdict.caught for verdict in verdicts) else 1


def _selected(names: Sequence[str]) -> list[Mutant]:
    if len({mutant.name for mutant in MUTANTS}) != len(MUTANTS):
        raise NotSound("two mutants have the same name")
    if unknown := set(names) - {mutant.name for mutant in MUTANTS}:
        raise NotSound(f"unknown mutants: {', '.join(sorted(unknown))}")
    return [mutant for mutant in MUTANTS if not names or mutant.name in names]


# --- the controls -----------------------------------------------------------------------------------------------------


def _checks(mutants: Sequence[Mutant]) -> list[Check]:
    """List the checks that must pass without a mutant: all tests together, and each range of seeds once."""
    checks = dict.fromkeys(mutant.caught_by for mutant in mutants)
    tests = dict.fromkeys(name for check in checks if isinstance(check, SelectedTests) for name in check.selection)
    ranges = [check for check in checks if isinstance(check, Simulation)]
    return [*([SelectedTests(tuple(tests))] if tests else []), *ranges]


def _control(check: Check) -> str:
    """Run a check on a copy with a harmless change, in which it must pass."""
    began = time.monotonic()
    with _copy() as copy:
        changed = copy / "domain" / "order" / "order.py"
        changed.write_text(changed.read_text() + "\n# neutral\n")
        caught, detail = _run(check, copy, CONTROL_LIMIT_S)
    if caught:
        raise NotSound(f"without a mutant this fails: {detail}")
    what = f"{len(check.selection)} tests" if isinstance(check, SelectedTests) else str(check)
    return f"control passes: {what}, {time.monotonic() - began:.0f} s"


# --- the mutants ------------------------------------------------------------------------------------------------------


def _judged(mutant: Mutant) -> Verdict:
    began = time.monotonic()
    with _copy() as copy:
        (copy / mutant.file).write_text(mutated_text(copy, mutant))
        caught, detail = _run(mutant.caught_by, copy)
    return Verdict(mutant, caught, detail, time.monotonic() - began)


def _reported(verdict: Verdict) -> Verdict:
    word = "caught" if verdict.caught else "SURVIVED"
    print(f"{word}: {verdict.mutant.name}, {verdict.seconds:.0f} s: {verdict.detail}", file=sys.stderr, flush=True)
    return verdict


def mutated_text(root: Path, mutant: Mutant) -> str:
    """Return the text of the mutant's file with its change. Raises NotSound."""
    text = (root / mutant.file).read_text()
    if (count := text.count(mutant.old)) != 1:
        raise NotSound(f"{mutant.name}: its old text is in {mutant.file} {count} times, not once")
    mutated = text.replace(mutant.old, mutant.new)
    try:
        _PARSERS.get(Path(mutant.file).suffix, str)(mutated)
    except (SyntaxError, ValueError, yaml.YAMLError) as error:
        raise NotSound(f"{mutant.name}: {mutant.file} cannot be read: {error}") from error
    return mutated


def _compose(text: str) -> object:
    return yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # where libyaml is, it is faster


_PARSERS: dict[str, Callable[[str], object]] = {".py": ast.parse, ".yaml": _compose, ".json": json.loads}


# --- one check in one copy --------------------------------------------------------------------------------------------


@contextmanager
def _copy() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="expediter-mutant-") as folder:
        copy = Path(folder).resolve() / "repository"
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*LEFT_OUT))
        (copy / TRANSLATOR).parent.mkdir()
        (copy / TRANSLATOR).symlink_to(ROOT / TRANSLATOR)
        yield copy


def _run(check: Check, copy: Path, limit_s: float = TIME_LIMIT_S) -> tuple[bool, str]:
    """Run a check in a copy. Returns whether it failed, and the failed test or broken invariant."""
    imported = _python(copy, ["-c", IMPORTED])[1].split()
    if not imported or not all(Path(path).is_relative_to(copy) for path in imported):
        raise NotSound(f"the copy in {copy} imports {imported}")
    code, output = _python(copy, _command(check), limit_s)
    if code is None:
        return True, f"hangs: not finished after {limit_s:.0f} s"
    if code not in {0, 1 if isinstance(check, SelectedTests) else VIOLATED}:
        raise NotSound(f"{check} cannot run (exit {code}):\n{output[-3000:]}")
    return code != 0, _failure_in(check, output) if code else "nothing"


def _command(check: Check) -> list[str]:
    if isinstance(check, Simulation):
        return ["-c", SIMULATE, str(check.orders), *map(str, range(check.first, check.end))]
    return ["-m", "pytest", "-q", "-x", "--no-header", "--tb=line", "-p", "no:cacheprovider", *check.selection]


def _python(copy: Path, arguments: list[str], limit_s: float = TIME_LIMIT_S) -> tuple[int | None, str]:
    """Run Python in a copy. Returns exit code and output; the code is None if it was killed at its time limit."""
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


def _failure_in(check: Check, output: str) -> str:
    """Find the failed test or the broken invariant in the output of a check, and remove ids from it."""
    if isinstance(check, Simulation):
        return re.sub(r"ord_\w+", "ord_", re.sub(_UUID, "uuid", output.strip().splitlines()[-1]))
    failed = re.search(r"^(?:FAILED|ERROR) \S+?::([^\s\[]+)", output, re.MULTILINE)
    return failed[1] if failed else output.strip().splitlines()[-1]


_UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


# --- the page ---------------------------------------------------------------------------------------------------------


def _page(verdicts: Sequence[Verdict], seconds: float, jobs: int) -> str:
    caught = sum(verdict.caught for verdict in verdicts)
    rows = "\n".join(_row(verdict) for verdict in verdicts)
    return f"""# The code broken on purpose

`make mutants` breaks the code in {len(verdicts)} places, one at a time, each in a copy of its own, and runs the check
that must detect it. Before that, every check must pass on a copy with a harmless change. The run fails if a mutant
survives, or if the text that it replaces is not in its file exactly once. The run writes this page itself
(`.venv/bin/python -m tests.mutations.run --write`).

{caught} of {len(verdicts)} caught in {seconds:.0f} s, {jobs} at a time, on {_machine()}.

| mutant | the rule it breaks | file | check | what failed | s |
|---|---|---|---|---|---|
{rows}"""


def _row(verdict: Verdict) -> str:
    mutant = verdict.mutant
    detail = verdict.detail if verdict.caught else "**survived**"
    cells = (mutant.name, mutant.breaks, f"`{mutant.file}`", str(mutant.caught_by), detail, f"{verdict.seconds:.0f}")
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def _machine() -> str:
    return f"{os.cpu_count()} cores ({platform.machine()}), {platform.system()}, Python {platform.python_version()}"


if __name__ == "__main__":
    sys.exit(main())
