"""Circuit breakers, one for each dependency, shared by all processes: events, state, and admission of calls."""
