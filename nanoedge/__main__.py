"""`python -m nanoedge` is `nanoedge`."""

from nanoedge.cli.main import main

main()
