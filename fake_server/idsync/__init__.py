"""Profiles and identity strategies: which person a set of identities belongs to."""
