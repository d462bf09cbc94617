"""A run on disk: its folder, the state that it goes on from, how it was started, several seeds of it."""
