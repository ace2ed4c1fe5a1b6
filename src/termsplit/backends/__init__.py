"""Thin adapters, one for each event loop; none is imported unless asked for by name."""
