"""Benchmarks beside lower bounds and beside other products, one command each. docs/performance.md shows the results."""
