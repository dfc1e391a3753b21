"""The order, pure: what may happen to it, what it decides, what it owes. Standard library alone, no clock, no I/O."""
