"""The distribution ``expediter-client``: a project with packages named as the engine's uses it without a collision."""

from __future__ import annotations

import json
import os
import site
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from workflows.cli.connection import minted
from workflows.cli.demo.engine_process import engine
from workflows.cli.order_commands import EXAMPLE

ROOT = Path(__file__).parents[2]

SHOP = """
import asyncio, json, sys
import domain.basket, workflows.checkout
from expediter_client import AsyncExpediterClient, ExpediterClient

url, token = sys.argv[1:]
order = domain.basket.order()
with ExpediterClient(url, token) as engine:
    placed = engine.place(order, key="cart-1")

async def place_again():
    async with AsyncExpediterClient(url, token) as engine:
        again = await engine.place(order, key="cart-1")
        other = await engine.place(order, key="cart-2")
        history = [event["type"] async for event in engine.history(again["id"])]
    return again["id"], other["id"], history

again, other, history = asyncio.run(place_again())
engine_modules = [name for name in sys.modules if name.startswith(("domain.order", "workflows.client"))]
print(json.dumps([placed["id"], again, other, history[0], engine_modules]))
"""


def build(project: Path, folder: Path) -> Path:
    """Build the wheel of a project."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=project, check=True, capture_output=True, timeout=120)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(ROOT / "packaging" / "client", tmp_path_factory.mktemp("wheel"))


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A project of another team, with its own ``domain`` and ``workflows``."""
    for name, text in (
        ("domain/basket.py", f"def order():\n    return {EXAMPLE!r}\n"),
        ("workflows/checkout.py", ""),
        ("shop.py", SHOP),
    ):
        file = tmp_path / "shop" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        (file.parent / "__init__.py").touch()
        file.write_text(text, encoding="utf-8")
    return tmp_path / "shop"


def test_a_project_with_its_own_domain_places_orders_with_both_clients(wheel: Path, shop: Path, tmp_path: Path) -> None:
    """The engine's packages are named ``domain`` and ``workflows`` too; the client's has a name of its own."""
    environment = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True, timeout=120)
    installed = environment / "lib" / f"python3.{sys.version_info.minor}" / "site-packages"
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(installed)]
    subprocess.run([*install, str(wheel)], check=True, timeout=120)
    # httpx, msgspec and websockets come from the tests' environment: its link to this repository does not work there
    paths = {**os.environ, "PYTHONPATH": os.pathsep.join(site.getsitepackages())}
    with engine(tmp_path / "engine") as running:
        token = minted(running.data, "customer", "ada", 600)
        command = [str(environment / "bin" / "python"), "shop.py", running.url, token]
        ended = subprocess.run(command, cwd=shop, env=paths, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 0, ended.stderr
    placed, again, other, first, engine_modules = json.loads(ended.stdout)
    assert placed == again != other
    assert (first, engine_modules) == ("OrderPlaced", [])


def test_the_client_needs_three_small_packages_and_is_typed(wheel: Path) -> None:
    """A backend service installs it beside its own dependencies, and its type checker reads it."""
    with zipfile.ZipFile(wheel) as files:
        names = set(files.namelist())
        metadata = files.read(next(name for name in names if name.endswith("METADATA"))).decode()
    assert [line for line in metadata.splitlines() if line.startswith("Requires-Dist")] == [
        "Requires-Dist: httpx>=0.28",
        "Requires-Dist: msgspec>=0.20",
        "Requires-Dist: websockets>=15",
    ]
    assert "expediter_client/py.typed" in names
    modules = {f"expediter_client/{file.name}" for file in (ROOT / "workflows" / "client").glob("*.py")}
    assert {name for name in names if name.endswith(".py")} == modules


def test_the_engine_is_typed(tmp_path: Path) -> None:
    """Each of its packages is marked, so that a type checker reads all of them."""
    with zipfile.ZipFile(build(ROOT, tmp_path)) as files:
        assert {"domain/py.typed", "workflows/py.typed", "handlers/py.typed"} <= set(files.namelist())
