"""Many people at once: a scripted hospital with five archives, a hundred users, and what Priors adds to each answer."""
