"""The state machines that a simulated world deploys: those of the template, and the next release of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from workflows.asl.reading import source
from workflows.asl.reading.definition import Definition, parse, substitute
from workflows.embedded.template import Template, read_template


def read_deployed(root: Path) -> Template:
    """Read the template in a folder, as a world deploys it."""
    return read_template(root / "template.yaml")


_parsed: dict[tuple[int, str], Mapping[str, Definition]] = {}


def definitions(template: Template) -> Mapping[str, Definition]:
    """Parse the deployed machines, by name."""
    return _parse_once(template, "as it is", lambda text: text)


def upgraded(template: Template) -> Mapping[str, Definition]:
    """Parse a next release of every machine, with one more state at its beginning."""

    def change(text: str) -> str:
        raw: Any = source.read(text)
        first = {"Type": "Pass", "Comment": "Added by the upgrade.", "Next": raw["StartAt"]}
        return json.dumps({**raw, "StartAt": "Upgraded", "States": {"Upgraded": first, **raw["States"]}})

    return _parse_once(template, "upgraded", change)


def _parse_once(template: Template, release: str, change: Callable[[str], str]) -> Mapping[str, Definition]:
    """Parse the definitions of a release once a process, because a run has thousands of worlds."""
    key = (id(template), release)
    if key not in _parsed:
        _parsed[key] = {
            name: parse(change(substitute(machine.definition, machine.substitutions)), name=name)
            for name, machine in template.machines.items()
        }
    return _parsed[key]
