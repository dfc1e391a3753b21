"""Benchmarks beside lower bounds and beside other products, one command each. docs/performance.md shows the results."""

import os

# Measured processes keep bytecode, as installed packages and the functions' package do.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
