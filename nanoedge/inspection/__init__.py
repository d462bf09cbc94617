"""Looking into a network: which prior learns what, how far each part of it sees, where two engines part."""
