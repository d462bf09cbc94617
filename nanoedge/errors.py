"""The exception family of NanoEdge.

Every error that a user can cause or cure is a `NanoEdgeError`. Its message is one or two sentences: what is wrong,
where (file, line, image id), and what to do. The command line prints the message alone and exits with `exit_code`.
"""


class NanoEdgeError(Exception):
    """The work was understood but failed (exit code 1): a parity check, a conversion, a full disk."""

    exit_code = 1


class InputError(NanoEdgeError):
    """The input or the request is unusable (exit code 2): a missing file, a bad value, an unknown name."""

    exit_code = 2


class ConfigError(InputError):
    """A configuration has an unknown key or a bad value; raised before any data path is touched."""


class DataError(InputError):
    """A data set is broken: unreadable JSON, duplicate ids, boxes of no size, pictures that are not there."""


class PictureError(DataError):
    """A picture or video cannot be read."""


class CheckpointError(InputError):
    """A checkpoint cannot be read, is not a tensor file, or belongs to another architecture."""


class BundleError(InputError):
    """A bundle is damaged, too new, or lacks what was asked for."""


class EngineError(InputError):
    """An engine is not installed, or cannot do what was asked on this CPU."""


class ExportError(NanoEdgeError):
    """A conversion failed; nothing was left behind."""


class ParityError(ExportError):
    """A converted model does not compute what the PyTorch model computes."""


class TrainingError(NanoEdgeError):
    """Training could not go on, for example because the loss is not a number."""


class TrainingInterruptedError(NanoEdgeError):
    """Training was stopped by the user; the state was saved and can be resumed."""

    exit_code = 130
