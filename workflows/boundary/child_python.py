"""Start Python modules in processes of their own, with the modules of this process and of no other folder."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import subprocess


def start_module(module: str, *arguments: str, **options: Any) -> subprocess.Popen[Any]:
    """Start ``python -m module``.

    The child imports from where this process does. Python by itself would import from the working folder first, where a
    file of the user may have the name of a module, e.g. ``json.py``.

    Args:
        options: Those of ``subprocess.Popen``, without ``env``.

    Raises:
        OSError: There is no memory for it, or there are too many processes.
    """
    import subprocess

    path = os.pathsep.join(os.path.abspath(entry) for entry in sys.path)
    return subprocess.Popen(
        [sys.executable, "-P", "-m", module, *arguments], env={**os.environ, "PYTHONPATH": path}, **options
    )


def keep_children_out_of_the_working_folder() -> None:
    """Let Python processes that libraries start, e.g. ``multiprocessing``, import nothing from the working folder."""
    os.environ["PYTHONSAFEPATH"] = "1"
