"""A small shop that tells mParticle what its customers do."""
