"""The benchmarks behind docs/results.md.

`make results` runs them all (about an hour), `make results ONLY="accuracy-320 commands"` some. Each is a command that
prints one JSON document with its figures; the document is kept in docs/results/NAME.json together with the machine, the
date, the commit and the command, and docs/results.md is written from these documents alone.
"""
