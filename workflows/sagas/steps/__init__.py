"""Steps: each performs one kind of intent by one outside call, and says which fact came of it."""
