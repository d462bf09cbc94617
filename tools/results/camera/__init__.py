"""Benchmarks of `nanoedge camera`."""
