"""What makes no sense is refused with a sentence before anything is computed."""

from __future__ import annotations

from pathlib import Path

import pytest
from nanoedge.config.load import load_config
from nanoedge.errors import ConfigError, InputError
from nanoedge.inspection.receptive_field_report import report_receptive_fields
from nanoedge.models.nanodet_plus import NanoDetPlus
from nanoedge.training.checkpoints import save_imported


def test_it_refuses_what_makes_no_sense(tmp_path: Path) -> None:
    config = load_config("demo", ["model.agm.enabled=false"])
    checkpoint = tmp_path / "plain.ckpt"
    save_imported(checkpoint, config, ("a",), NanoDetPlus(config.model, 1).state_dict())
    with pytest.raises(InputError, match="as it was trained"):
        report_receptive_fields(str(checkpoint), ["model.backbone.width=1.0"])
    with pytest.raises(InputError, match="holds no pictures"):
        report_receptive_fields(str(checkpoint), pictures=_made(tmp_path / "empty"))
    with pytest.raises(InputError, match="no trained weights"):
        report_receptive_fields("demo", pictures=tmp_path)
    with pytest.raises(ConfigError, match="Did you mean 'demo'"):
        report_receptive_fields("dem0")
    with pytest.raises(InputError, match="--force"):
        report_receptive_fields("demo", out=checkpoint)


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder
