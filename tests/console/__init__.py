"""Tests of the web console. It is a package so that its tests in a browser share one engine and one browser."""
