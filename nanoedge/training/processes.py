"""Which processes train together: one, several of this machine, or those that torchrun or SLURM started."""

from __future__ import annotations

import logging
import os
import re
import signal
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Literal

import torch
from lightning.fabric.plugins.environments.slurm import SLURMEnvironment
from lightning.fabric.plugins.environments.torchelastic import TorchElasticEnvironment
from lightning.pytorch.strategies import DDPStrategy, Strategy
from torch.multiprocessing.spawn import ProcessExitedException, ProcessRaisedException

from nanoedge import errors
from nanoedge.config.schema import TrainingConfig
from nanoedge.errors import InputError, NanoEdgeError, TrainingError
from nanoedge.training.memory.freed_memory import keep_freed_memory


@dataclass(frozen=True)
class Processes:
    """The processes of a training.

    Attributes:
        devices: processes on each machine.
        nodes: machines.
        rank: number of this process, from 0; where NanoEdge itself starts the processes, it is their parent: 0.
        starter: who started this process as one of several; `None` when NanoEdge is to start them itself.
    """

    devices: int
    nodes: int
    rank: int = 0
    starter: Literal["torchrun", "SLURM"] | None = None

    @property
    def count(self) -> int:
        """All processes."""
        return self.devices * self.nodes


def device_type(training: TrainingConfig) -> Literal["cpu", "cuda", "mps"]:
    """What the network is trained on.

    Raises:
        InputError: for a device that is not there.
    """
    here: dict[str, bool] = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if training.accelerator == "gpu" and not here["cuda"]:
        raise InputError("training.accelerator=gpu, but PyTorch finds no GPU here; choose auto or cpu.")
    if training.accelerator == "mps" and not here["mps"]:
        raise InputError("training.accelerator=mps, but PyTorch finds no Apple GPU here; choose auto or cpu.")
    if training.accelerator != "cpu" and here["cuda"]:
        return "cuda"
    return "mps" if training.accelerator in ("auto", "mps") and here["mps"] else "cpu"


class SpawnedStrategy(DDPStrategy):
    """Distributed data parallel in processes that Lightning spawns; each is told what its parent was told.

    Args:
        threads: CPU threads of PyTorch in each process; 0 leaves Lightning's choice, the CPUs shared out.
    """

    def __init__(self, threads: int) -> None:
        super().__init__(start_method="spawn")
        self._threads = threads

    def setup_environment(self) -> None:
        quieten_lightning()
        keep_freed_memory()
        if self._threads:
            torch.set_num_threads(self._threads)
        super().setup_environment()


def strategy_of(processes: Processes, threads: int) -> Strategy | str:
    """How Lightning lets the processes work together."""
    if processes.count == 1:
        return "auto"
    return "ddp" if processes.starter else SpawnedStrategy(threads)


def find_processes(training: TrainingConfig, environment: Mapping[str, str] = os.environ) -> Processes:
    """What torchrun or SLURM started, else what the configuration asks for.

    Args:
        training: its `devices` count where nobody started several processes.
        environment: the environment's variables.

    Raises:
        InputError: for a device that is not there or does not know the precision, when SLURM's tasks do not spread
            evenly, or when a batch cannot be shared out.
    """
    if device_type(training) == "cpu" and training.precision == "fp16":
        raise InputError("training.precision=fp16 needs a GPU; a CPU trains in fp32 or bf16.")
    found = _started(environment) or Processes(training.devices, 1)
    if training.batch_size != "auto" and training.batch_size % found.count:
        raise InputError(
            f"A batch of {training.batch_size} pictures cannot be shared by {found.count} processes; choose a multiple "
            f"of {found.count} as training.batch_size."
        )
    return found


def _started(environment: Mapping[str, str]) -> Processes | None:
    if TorchElasticEnvironment.detect():
        world, local = int(environment["WORLD_SIZE"]), int(environment["LOCAL_WORLD_SIZE"])
        return Processes(local, world // local, int(environment["RANK"]), "torchrun")
    if SLURMEnvironment.detect() and int(environment["SLURM_NTASKS"]) > 1:
        tasks, nodes = int(environment["SLURM_NTASKS"]), int(environment.get("SLURM_NNODES", "1"))
        if tasks % nodes:
            raise InputError(f"SLURM's {tasks} tasks do not spread evenly over {nodes} machines; set ntasks-per-node.")
        return Processes(tasks // nodes, nodes, int(environment["SLURM_PROCID"]), "SLURM")
    return None


_OWN_ERROR = re.compile(r"^nanoedge\.errors\.(\w+): (.+)", re.MULTILINE | re.DOTALL)


@contextmanager
def one_voice(processes: Processes) -> Iterator[None]:
    """While processes of our own train: their error becomes ours, and the first Ctrl-C is theirs alone to answer.

    The children get the signal, too; they finish their step, save, and end with a `TrainingInterruptedError`.
    """
    if processes.count == 1 or processes.starter is not None:
        yield
        return
    asked = False

    def leave_it_to_the_children(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True

    previous = signal.signal(signal.SIGINT, leave_it_to_the_children)
    try:
        yield
    except ProcessRaisedException as error:
        raise error_of(str(error)) from error
    except ProcessExitedException as error:
        raise TrainingError(f"A process of the training ended: {error}. Out of memory?") from error
    finally:
        signal.signal(signal.SIGINT, previous)


def error_of(text: str) -> NanoEdgeError:
    """The error that a process ended with, from its traceback."""
    found = _OWN_ERROR.search(text)
    if found is None:
        return TrainingError(f"A process of the training failed: {text.strip().splitlines()[-1]}")
    kind = getattr(errors, found.group(1), TrainingError)
    made: NanoEdgeError = kind(found.group(2).strip())
    return made


def quieten_lightning() -> None:
    """Hints of Lightning and of PyTorch's loader are for their users; ours read our messages."""
    for name in ("lightning.pytorch", "lightning.fabric", "lightning"):
        logging.getLogger(name).setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module=r"lightning\..*")
    warnings.filterwarnings("ignore", message=r".*TypedStorage is deprecated.*")
    warnings.filterwarnings("ignore", message=r"This DataLoader will create .* worker processes")
