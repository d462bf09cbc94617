"""`python -m nanoedge` is `nanoedge`."""

from nanoedge.cli.main import main

if __name__ == "__main__":  # processes of a training import this file again
    main()
