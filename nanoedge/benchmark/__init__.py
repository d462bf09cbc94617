"""Measuring: how long each stage of a detector takes."""
