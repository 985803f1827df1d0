"""Sample deliveries in the real formats with planted truth; deterministic by seed, fictional organisations only."""
