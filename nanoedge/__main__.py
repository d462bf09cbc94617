"""`nanoedge`, and `python -m nanoedge`: signals are answered first, then the commands are imported."""

import os
import signal
import sys


def main() -> None:
    """Run the command line; never returns."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # a shell may have it ignored
        signal.signal(signal.SIGINT, lambda *_: _leave(130))
    if sys.argv[1:2] == ["camera"]:  # the one that runs as a service, until it answers by itself
        signal.signal(signal.SIGTERM, lambda *_: _leave(0))
    from nanoedge.cli.main import main as run

    run()


def _leave(status: int) -> None:
    # Not an exception: amid imports it would be a traceback, or be lost in a callback of the import system.
    try:
        os.write(2, b"nanoedge: stopped\n")
    finally:
        os._exit(status)


if __name__ == "__main__":  # processes of a training import this file again
    main()
