"""Benchmarks against the floor and the peers, one command each; docs/performance.md is written from their results."""
