"""Benchmarks of our own engine."""
