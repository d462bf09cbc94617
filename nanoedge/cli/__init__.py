"""The command line: one command a file; each imports its work when it runs, so that `--help` is quick."""
