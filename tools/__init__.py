"""Scripts for people who work on NanoEdge."""
