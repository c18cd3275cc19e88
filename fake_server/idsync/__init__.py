"""Profiles and identity strategies: which person a set of identities belongs to. `Idsync` is for endpoints and workspaces."""

from .replay import Idsync, Resolved
from .strategy import DEFAULT, Strategy

__all__ = ["DEFAULT", "Idsync", "Resolved", "Strategy"]
