"""Builds for other machines: python -m tools.cross [TARGET ...]."""
