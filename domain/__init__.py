"""The order, pure: what may happen to it, what it decides, what it owes. The standard library alone, no clock, no I/O."""
