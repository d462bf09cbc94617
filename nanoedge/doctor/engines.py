"""Which engines are installed, and which one `auto` takes and why."""

from __future__ import annotations

from dataclasses import dataclass

from nanoedge.bundle import Bundle
from nanoedge.errors import BundleError, EngineError
from nanoedge.runtime.core import find_openvino
from nanoedge.runtime.load import ENGINES, choose_engine, preference


@dataclass(frozen=True)
class EngineState:
    """One engine.

    Attributes:
        name: as `--engine` takes it.
        installed: it can be used here.
        cure: what to do when it cannot.
    """

    name: str
    installed: bool
    cure: str | None


@dataclass(frozen=True)
class Engines:
    """All of them, and the choice.

    Attributes:
        states: each engine.
        bundle: its name, when the choice is for one.
        chosen: what `auto` takes; `None` when there is nothing to take.
        reason: a sentence.
        lost_library: what `NANOEDGE_OPENVINO` names when it is no file.
    """

    states: tuple[EngineState, ...]
    bundle: str | None
    chosen: str | None
    reason: str
    lost_library: str | None = None

    def has(self, name: str) -> bool:
        """Whether it is installed."""
        return any(state.installed for state in self.states if state.name == name)


def look_at_engines(bundle: Bundle | None, machine: str) -> Engines:
    """For a bundle or, without one, for a bundle that has a model for every engine.

    Args:
        bundle: its manifest was read; the files of the chosen engine and the sample are checked here.
        machine: the architecture, which decides the order.

    Raises:
        BundleError: when a file of the bundle is damaged.
    """
    states = []
    for name, kind in ENGINES.items():
        installed = kind.is_installed()
        states.append(EngineState(name, installed, None if installed else kind.missing))
    library = find_openvino()
    lost = str(library) if library is not None and not library.is_file() else None
    if bundle is None:
        chosen = next((name for name in preference(machine) if ENGINES[name].is_installed()), None)
        if chosen is None:
            return Engines(tuple(states), None, None, "No engine is installed.", lost)
        return Engines(tuple(states), None, chosen, _reason(chosen, None, machine), lost)
    name = bundle.manifest.name
    try:
        chosen = choose_engine(bundle)
    except (EngineError, BundleError) as error:
        return Engines(tuple(states), name, None, str(error), lost)
    sample = bundle.manifest.sample
    bundle.verify([*bundle.entry(ENGINES[chosen].entry).files, sample.picture, sample.detections])
    return Engines(tuple(states), name, chosen, _reason(chosen, bundle, machine), lost)


def _reason(chosen: str, bundle: Bundle | None, machine: str) -> str:
    """Why those that come first on this kind of machine were passed over."""
    offered = None if bundle is None else {e.engine for e in bundle.manifest.engines if e.precision == "float"}
    order = list(preference(machine))
    passed = []
    for name in order[: order.index(chosen)]:
        if offered is not None and name not in offered:
            passed.append(f"{name} comes before it, but the bundle has no {name} model")
        else:
            passed.append(f"{name} comes before it, but is not installed")
    place = f"it comes first on {machine} and is installed" if not passed else "; ".join(passed)
    whose = "a bundle that has it" if bundle is None else bundle.manifest.name
    return f"For {whose}, auto takes {chosen}: {place}."
