"""`report.html` of a run: what was trained, how good it is, and what it gets wrong."""
