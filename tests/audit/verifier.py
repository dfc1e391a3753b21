"""The verifier, loaded as the plain file that it is."""

from __future__ import annotations

import importlib.util
from types import ModuleType

from tests.stores import ROOT

FILE = ROOT / "packaging" / "verify" / "expediter_verify.py"


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("expediter_verify", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


VERIFIER = load()
