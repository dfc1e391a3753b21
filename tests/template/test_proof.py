"""The table of docs/deploying.md that says what proved each type of resource."""

from __future__ import annotations

from typing import Any

from tests.deployment.gaps import bridged
from tests.template.conftest import Resources
from tests.template.proof import DOCUMENT, PROVED, Proof, with_table


def types(resources: Resources) -> list[str]:
    return [item["Type"] for item in resources.values()]


def test_every_type_of_resource_is_in_the_table_and_no_other(resources: Resources) -> None:
    """A type that is added has to be proved, or to be named as unproved."""
    assert set(types(resources)) == set(PROVED)


def test_the_table_is_current(resources: Resources) -> None:
    """After a resource was added: ``python -m tests.template.proof``."""
    text = DOCUMENT.read_text()
    assert "<!-- proof -->" in text
    assert with_table(text, types(resources)) == text


def test_a_type_is_called_deployed_if_the_emulator_gets_a_resource_of_it(
    plain: dict[str, Any], state: dict[str, Any], watching: dict[str, Any]
) -> None:
    """What the deployment tests leave out is proved by linters alone."""
    deployed = {
        item["Type"]
        for stack in (plain, state, watching)
        for item in bridged(stack, step_functions="")["Resources"].values()
        if item.get("Condition") != "Emulated"
    }
    assert {kind for kind, proved in PROVED.items() if proved.by is not Proof.LINTERS} == deployed & set(PROVED)
