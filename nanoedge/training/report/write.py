"""Making `report.html`: measure the best weights, gather the numbers, write the page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import torch

from nanoedge.config.load import load_config
from nanoedge.config.schema import Config
from nanoedge.data.check.quick import quick_check, summary
from nanoedge.data.splits import Splits, read_splits
from nanoedge.data.stats.numbers import statistics
from nanoedge.data.stats.plots import plots_of
from nanoedge.errors import ConfigError, DataError, InputError, NanoEdgeError
from nanoedge.evaluation.best_scores import best_scores
from nanoedge.evaluation.coco_metrics import CocoEvaluation, CocoMetrics, coco_evaluation
from nanoedge.evaluation.confusion import confusion_matrix
from nanoedge.files import write_atomically
from nanoedge.machine import machine
from nanoedge.training.checkpoints import Checkpoint, load_checkpoint
from nanoedge.training.evaluate import LastEvaluation
from nanoedge.training.report.numbers import Epoch, best_epoch, class_rows, differences, read_epochs, speed_of
from nanoedge.training.report.page import Report, report_page
from nanoedge.training.report.pictures import ranked_samples, shown_pictures
from nanoedge.training.report.plots import precision_recall_plot, training_curves
from nanoedge.training.report.predict import Found, find_boxes, forward_milliseconds
from nanoedge.training.runs.folder import RunFolder
from nanoedge.training.runs.provenance import read_starts

Say = Callable[[str], None]


def report_of_finished_run(
    folder: RunFolder, config: Config, splits: Splits, last: LastEvaluation | None, say: Say
) -> Path | None:
    """The report at the end of a training, whose result it never endangers.

    Args:
        folder: of the run.
        config: of the run.
        splits: its data.
        last: what the training's last evaluation found.
        say: receives sentences for the user.

    Returns:
        The page; `None` when it is not wanted (`training.report`) or could not be made, which `say` explains.
    """
    if not config.training.report:
        return None
    again = f"The training's result is not touched by that; make the report later with: nanoedge report {folder.path}"
    try:
        return write_report(folder, config, splits, last, say)
    except NanoEdgeError as error:
        say(f"warning: there is no report: {error} {again}")
    except Exception as error:  # whatever it is, hours of training must not end with exit code 1 for a page
        say(f"warning: there is no report ({type(error).__name__}: {error}). {again}")
    return None


def report_again(run: Path, overrides: Sequence[str] = (), say: Say = lambda text: None) -> Path:
    """The report of any run's folder that has a `best.ckpt`: finished, stopped or still going on.

    Args:
        run: the run's folder.
        overrides: `data.…=value`, when the data lie elsewhere now.
        say: receives sentences for the user.

    Raises:
        InputError: when the folder is no run, or nothing was evaluated yet.
        DataError: when the data cannot be read or have other classes.
        NanoEdgeError: when the page cannot be written.
    """
    folder = RunFolder(run)
    if not folder.config.is_file():
        raise InputError(f"{run} is not the folder of a training run: it has no config.yaml.")
    for override in overrides:
        if not override.startswith("data."):
            raise ConfigError(f"{override!r} would describe another run; a report can only be told where data.* lie.")
    config = load_config(str(folder.config), overrides)
    if not folder.best.is_file():
        raise InputError(f"{run} has no checkpoints/best.ckpt: its training has not come to an evaluation yet.")
    return write_report(folder, config, read_splits(config), None, say)


def write_report(
    folder: RunFolder, config: Config, splits: Splits, last: LastEvaluation | None, say: Say = lambda text: None
) -> Path:
    """Measure `best.ckpt` on the validation pictures and write the page into the run's folder.

    Args:
        folder: of the run.
        config: of the run.
        splits: its data.
        last: boxes that are known already.
        say: receives sentences for the user.

    Raises:
        NanoEdgeError: when something cannot be read or the page cannot be written.
    """
    checkpoint = load_checkpoint(folder.best)
    if checkpoint.classes != splits.val.classes:
        raise DataError(f"{splits.val.source} has other classes than {folder.best}; give the run's own data.")
    found = find_boxes(checkpoint, splits.val, last, say)
    evaluation = coco_evaluation(found.index, found.boxes)
    epochs = read_epochs(folder.metrics)
    score = config.postprocess.score_threshold
    best, best_number = best_scores(found.index, found.boxes), best_epoch(epochs)
    shown = [
        shown_pictures(samples, found.index, found.boxes, score, say)
        for samples in ranked_samples(found.index, found.boxes, score)
    ]
    agm = config.model.agm
    split_statistics = [statistics(each, config) for each in splits.sets]
    report = Report(
        name=folder.path.resolve().name,
        notes=_notes(config, splits, checkpoint, found, epochs, score),
        metrics=_metrics(checkpoint, evaluation, found),
        best_epoch=best_number,
        epochs=epochs[-1].number if epochs else checkpoint.epoch,
        config=config,
        score=score,
        measured=len(found.index),
        curves=training_curves(epochs, agm.detach_epoch if agm.enabled else None, best_number),
        classes=class_rows(splits.train, found.index, evaluation, best),
        overall=best.overall,
        precision_recall=precision_recall_plot(evaluation.curves),
        confusion=confusion_matrix(found.index, found.boxes, score),
        best=shown[0],
        worst=shown[1],
        splits=split_statistics,
        data_plots={f"{title} (training)": plot for title, plot in plots_of(split_statistics[0]).items()},
        warnings=_warnings(splits, config),
        speed=speed_of(epochs, len(splits.train)),
        forward_ms=forward_milliseconds(checkpoint),
        threads=torch.get_num_threads(),
        machine=machine(),
        starts=read_starts(folder.starts),
        changed=differences(config, len(splits.train)),
        made=datetime.now().astimezone().isoformat(" ", "seconds"),
    )
    write_atomically(folder.report, report_page(report).encode())
    return folder.report


def _metrics(checkpoint: Checkpoint, evaluation: CocoEvaluation, found: Found) -> CocoMetrics:
    """Those of the whole split: the training's own where only a part of it was looked at again."""
    if len(found.index) == found.of or checkpoint.metrics is None:
        return evaluation.metrics
    return CocoMetrics(**checkpoint.metrics)


def _notes(
    config: Config, splits: Splits, checkpoint: Checkpoint, found: Found, epochs: Sequence[Epoch], score: float
) -> list[str]:
    notes = []
    trained, planned = (epochs[-1].number if epochs else 0), config.training.epochs
    if 0 < trained < planned:
        notes.append(f"The training ended, or stands, after {trained} of {planned} planned epochs.")
    if checkpoint.data_fingerprint not in ("", splits.train.fingerprint):
        notes.append("The training annotations are not those that the run was trained with; they were changed since.")
    if not found.index.box_count:
        notes.append("The validation pictures hold no box: how good the detector is cannot be measured on them.")
    elif not any(len(boxes) for boxes in found.boxes.values()):
        notes.append("Nothing was found in any validation picture, not even with a low score.")
    elif not any((boxes.scores >= score).any() for boxes in found.boxes.values()):
        notes.append(
            f"No box has a score of {score:g} or more, the threshold of the confusion matrix and the pictures. "
            "Look at the weaker ones there, and at the best thresholds of the classes."
        )
    if len(found.index) < found.of:
        notes.append(
            f"Curves, classes, confusions and pictures are those of {len(found.index)} of {found.of} validation "
            "pictures, drawn at random; the figures at the top are those of all."
        )
    return notes


def _warnings(splits: Splits, config: Config) -> list[str]:
    try:
        return summary(quick_check(splits.sets, config))
    except DataError as error:  # pictures that vanished since
        return [f"error: {error}"]
