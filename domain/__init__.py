"""The rules of the business, as pure functions: standard library alone, no clock, no random numbers, no I/O."""
