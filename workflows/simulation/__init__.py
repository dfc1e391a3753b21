"""Real orders under a virtual clock and a seeded schedule of faults."""
