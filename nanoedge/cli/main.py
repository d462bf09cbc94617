"""The entry point: the commands, the version, and how errors end a run."""

from __future__ import annotations

import errno
import io
import signal
import sys
import traceback
from typing import Annotated

import typer

from nanoedge import __version__
from nanoedge.cli import (
    benchmark,
    camera,
    data,
    demo,
    detect,
    doctor,
    evaluate,
    export,
    import_nanodet,
    info,
    inspect,
    report,
    train,
)
from nanoedge.errors import NanoEdgeError

EXTRAS = {
    **dict.fromkeys(("torch", "lightning", "safetensors", "tensorboard", "PIL", "matplotlib", "defusedxml"), "train"),
    **dict.fromkeys(("onnx", "onnxruntime", "pnnx", "ncnn", "openvino"), "export"),
    "faster_coco_eval": "eval",
}
"""Module to the extra of the package that brings it."""

app = typer.Typer(
    name="nanoedge",
    help="Train a NanoDet-class detector, export it as one bundle, run it on any ARM or x86 CPU.",
    epilog="The usual way: nanoedge train, nanoedge export, nanoedge detect. See it all at once: nanoedge demo.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"]},
)


def _show_version(asked: bool) -> None:
    if asked:
        print(f"nanoedge {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", help="print the version", is_eager=True, callback=_show_version)
    ] = False,
) -> None:
    pass


for _module in (
    train,
    report,
    evaluate,
    export,
    detect,
    camera,
    benchmark,
    info,
    doctor,
    inspect,
    import_nanodet,
    data,
    demo,
):
    _module.register(app)


def main() -> None:
    """Run the command line; never returns."""
    debug = "--debug" in sys.argv
    for stream in (sys.stdout, sys.stderr):  # a file's name need not be UTF-8
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        if callable(signal.getsignal(signal.SIGINT)):  # Ctrl-C is an exception from here on, unless it is ignored
            signal.signal(signal.SIGINT, signal.default_int_handler)
        app()
    except NanoEdgeError as error:
        if debug:
            traceback.print_exc()
        print(f"nanoedge: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except ModuleNotFoundError as error:
        extra = EXTRAS.get((error.name or "").partition(".")[0])
        if debug or extra is None:
            raise
        print(f"nanoedge: This command needs {error.name}: pip install 'nanoedge[{extra}]'.", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        if debug:
            raise
        print("nanoedge: stopped", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(1)
    except OSError as error:
        place = f" {error.filename}" if error.filename else ""
        if not debug and place and error.errno in (errno.EACCES, errno.EPERM, errno.EIO, errno.ENOTCONN, errno.ESTALE):
            print(f"nanoedge:{place} cannot be read or written: {error.strerror}.", file=sys.stderr)
            sys.exit(2)
        if debug or error.errno != errno.ENOSPC:
            raise
        print(f"nanoedge: The output{place} cannot be written: {error.strerror}.", file=sys.stderr)
        sys.exit(1)
    finally:
        # Python remembers that a KeyboardInterrupt has left an eval or exec of text, as dataclasses and annotations
        # use them, and ends by SIGINT in place of the status above, until it has run such a text to its end.
        exec("")  # noqa: S102
