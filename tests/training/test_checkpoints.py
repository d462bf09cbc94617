"""Checkpoints are read safely and written whole."""

from __future__ import annotations

import ast
import pickle
import subprocess
import sys
from pathlib import Path

import nanoedge
import pytest
import torch
from nanoedge.config.load import load_config
from nanoedge.config.network import ModelConfig
from nanoedge.errors import CheckpointError
from nanoedge.models.nanodet_plus import NanoDetPlus
from nanoedge.training.checkpoints import load_checkpoint, save_atomically, save_imported


class Trap:
    """Unpickling it would create a file."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self):
        return (Path.touch, (self.place,))


def test_a_pickle_that_is_no_tensor_file_is_refused_and_not_run(tmp_path: Path) -> None:
    trap, path = tmp_path / "sprung", tmp_path / "evil.ckpt"
    torch.save({"state_dict": Trap(trap)}, path)
    with pytest.raises(CheckpointError, match="can run any code"):
        load_checkpoint(path)
    assert not trap.exists()
    path.write_bytes(pickle.dumps(Trap(trap)))
    with pytest.raises(CheckpointError):
        load_checkpoint(path)
    assert not trap.exists()


@pytest.mark.parametrize("content", [b"", b"no checkpoint", b"PK\x03\x04 truncated"])
def test_damaged_files_are_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.ckpt"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"broken\.ckpt"):
        load_checkpoint(path)


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="does not exist"):
        load_checkpoint(tmp_path / "none.ckpt")
    with pytest.raises(CheckpointError, match="is a folder"):
        load_checkpoint(tmp_path)


def test_somebody_elses_checkpoint_points_to_the_import(tmp_path: Path) -> None:
    path = tmp_path / "other.ckpt"
    torch.save({"state_dict": {"model.x": torch.zeros(1)}}, path)
    with pytest.raises(CheckpointError, match="import-nanodet"):
        load_checkpoint(path)


def test_weights_of_another_architecture_are_refused(tmp_path: Path) -> None:
    config = load_config("nanodet-plus-m_320")
    weights = NanoDetPlus(ModelConfig.model_validate({"neck": {"channels": 64}, "agm": {"enabled": False}}), 3)
    path = tmp_path / "other.ckpt"
    save_imported(path, config, ("a", "b", "c"), weights.state_dict())
    with pytest.raises(CheckpointError, match="another architecture"):
        load_checkpoint(path).model()


def test_a_full_disk_leaves_the_old_checkpoint(tmp_path: Path) -> None:
    """A limit on the size of files stands in for the full disk: writing fails in the same way."""
    path = tmp_path / "last.ckpt"
    save_atomically({"value": 1}, path)
    before = path.read_bytes()
    code = (
        "import resource, sys, torch\n"
        "from pathlib import Path\n"
        "from nanoedge.errors import NanoEdgeError\n"
        "from nanoedge.training.checkpoints import save_atomically\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))\n"
        "try: save_atomically({'value': torch.zeros(100_000)}, Path(sys.argv[1]))\n"
        "except NanoEdgeError as error: sys.exit(str(error))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "last.ckpt could not be written" in done.stderr
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_no_tensor_file_is_read_in_a_way_that_can_run_code() -> None:
    package = Path(nanoedge.__file__).parent
    unsafe = []
    for path in sorted(package.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            named = {word.arg: getattr(word.value, "value", None) for word in node.keywords}
            called = ast.unparse(node.func)
            careless = called == "torch.load" and named.get("weights_only") is not True
            pickled = called.split(".")[0] in ("pickle", "cloudpickle", "joblib", "dill") and "load" in called
            if careless or pickled or named.get("allow_pickle") is True or named.get("weights_only") is False:
                unsafe.append(f"{path.relative_to(package)}:{node.lineno}")
    assert unsafe == []
