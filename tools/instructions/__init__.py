"""Instructions a frame under emulation: python -m tools.instructions."""
