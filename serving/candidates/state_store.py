"""The states of a pipeline's models, kept on this host: written by the rollout alone, read by whoever starts.

`models.json` is `{"models": {version: MODEL_STATE}, "unsent": [MODEL_STATE, ...]}`: the last record of each version,
and those that the broker has not acknowledged yet, oldest first. It is replaced whole, and is on disk before
anything acts on it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from contract.files import write_durably
from contract.timestamps import rfc3339_of_us

MAX_UNSENT: Final = 10_000
"""While the broker is away for so long that more wait, the oldest go: the topic is compacted, the newest count."""


class ModelsError(ValueError):
    """`models.json` cannot be read, or a version is not known; the message says what to do."""


@dataclass(frozen=True)
class Model:
    """The last state of one version; `records.MODEL_STATE` describes the same as JSON."""

    version: str
    state: str
    pinned: bool
    who: str
    when: str
    """RFC 3339, UTC, milliseconds."""
    why: str
    auc: float | None

    def become(self, state: str, who: str, why: str, now_us: int, pinned: bool | None = None) -> Model:
        pins = self.pinned if pinned is None else pinned
        return replace(self, state=state, pinned=pins, who=who, why=why, when=rfc3339_of_us(now_us))


@dataclass(frozen=True)
class ModelStates:
    """Every version's last state, and what still has to be told."""

    models: Mapping[str, Model]
    unsent: tuple[Mapping[str, Any], ...] = ()

    def champion(self) -> Model | None:
        return next((model for model in self.models.values() if model.state == "champion"), None)

    def pinned(self) -> Model | None:
        return next((model for model in self.models.values() if model.pinned), None)

    def with_changed(self, changed: Iterable[Model]) -> ModelStates:
        """The states after these changes, which wait to be told."""
        changed = list(changed)
        models = {**self.models, **{model.version: model for model in changed}}
        return ModelStates(models, (*self.unsent, *(asdict(model) for model in changed))[-MAX_UNSENT:])

    def without(self, versions: Iterable[str]) -> ModelStates:
        """Forget versions that are gone from this host; the topic keeps their records."""
        gone = set(versions)
        return replace(self, models={v: model for v, model in self.models.items() if v not in gone})

    def acknowledged(self, count: int) -> ModelStates:
        """The broker has the oldest `count` records."""
        return replace(self, unsent=self.unsent[count:])


def read_states(onprem_folder: Path) -> ModelStates:
    """What was last written; nothing, when nothing was.

    Raises:
        ModelsError: the file is broken.
    """
    path = onprem_folder / "models.json"
    try:
        whole = json.loads(path.read_bytes())
        return ModelStates({v: Model(**record) for v, record in whole["models"].items()}, tuple(whole["unsent"]))
    except FileNotFoundError:
        return ModelStates({})
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelsError(
            f"{path} is broken ({error}); move it away: admission starts anew from candidates/"
        ) from error


def write_states(onprem_folder: Path, states: ModelStates) -> None:
    """Replace the file; it is on disk when this returns."""
    records = {version: asdict(model) for version, model in states.models.items()}
    text = json.dumps({"models": records, "unsent": list(states.unsent)}, indent=1)
    write_durably(onprem_folder / "models.json", text.encode())
