"""Readers: annotation files of one format each to a `DatasetIndex`."""
