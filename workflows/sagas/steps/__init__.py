"""Steps: each performs one kind of intent by one call to a provider, and returns the fact to record."""
