"""Capture, detection and outputs in threads of their own, with the newest frame between them."""
