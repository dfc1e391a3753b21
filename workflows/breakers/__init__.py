"""Circuit breakers, one per dependency, shared by all processes: the events, the state, and who may call."""
