"""Drivers of other engines and event stores. They run in virtual environments of their own."""
