"""Looking into a network: which prior learns what, and how far each part of it sees."""
