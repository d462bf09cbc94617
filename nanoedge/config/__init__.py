"""Typed configurations: the schema, reading YAML with overrides, and the original project's YAML."""
