"""pydantic's errors as sentences; a misspelt key gets the nearest right one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import Any, get_args

from pydantic import BaseModel, ValidationError


def explain(error: ValidationError, model: type[BaseModel]) -> str:
    """All problems of a pydantic error as sentences; misspelt keys get the nearest right one."""
    return " ".join(_sentences(error, model))


def _sentences(error: ValidationError, model: type[BaseModel]) -> Iterable[str]:
    for problem in error.errors():
        where = ".".join(str(part) for part in problem["loc"])
        if problem["type"] == "extra_forbidden":
            known = list(_fields_at(model, problem["loc"][:-1]))
            elsewhere = _paths_of(str(problem["loc"][-1]), model)
            if elsewhere:
                yield f"Unknown key {where!r}. Did you mean {elsewhere[0]!r}?"
                continue
            close = difflib.get_close_matches(str(problem["loc"][-1]), known, n=1, cutoff=0.5)
            hint = f"Did you mean {'.'.join([*map(str, problem['loc'][:-1]), close[0]])!r}?" if close else ""
            yield f"Unknown key {where!r}. {hint or 'Known keys there: ' + ', '.join(known) + '.'}"
        elif problem["type"] == "missing":
            yield f"The key {where!r} is missing."
        else:
            message = problem["msg"].removeprefix("Value error, ")
            given = "" if problem["type"] == "value_error" else f" (given: {problem['input']!r})"
            yield f"{where or 'The document'}: {message}{given}."


def _paths_of(name: str, model: type[BaseModel], prefix: str = "") -> list[str]:
    """Where a key of exactly that name stands, in this model or below."""
    paths = [f"{prefix}{name}"] if name in model.model_fields else []
    for key, field in model.model_fields.items():
        for kind in (field.annotation, *get_args(field.annotation)):
            if _is_model(kind):
                paths += _paths_of(name, kind, f"{prefix}{key}.")
    return paths


def _fields_at(model: type[BaseModel], location: Sequence[int | str]) -> dict[str, Any]:
    """The field names of the model that stands at `location` inside `model`."""
    for part in location:
        field = model.model_fields.get(str(part))
        if field is None:
            return {}
        nested = [kind for kind in (field.annotation, *get_args(field.annotation)) if _is_model(kind)]
        if not nested:
            return {}
        model = nested[0]
    return dict(model.model_fields)


def _is_model(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)
