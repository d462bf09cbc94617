"""Training with Lightning, checkpoints, and importing the original project's checkpoints."""
