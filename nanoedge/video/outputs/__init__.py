"""What results are given to, one kind a file. Each has `name`, `write` and `close`."""
