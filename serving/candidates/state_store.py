"""The states of a pipeline's models, kept on this host: written by the rollout alone, read by whoever starts.

`models.json` is `{"models": {version: MODEL_STATE}, "unsent": [MODEL_STATE, ...], "commands": OFFSET,
"commands_topic_id": ID}`: the last record of each version; those that the broker has not acknowledged yet, oldest
first; the offset on `<pipeline>.commands` before which the rollout has acted on every command, and the id of that topic
(both absent until it has seen it). The file is replaced whole, and is on disk before anything acts on it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import msgspec

from contract.files import write_durably
from contract.messages.model_states import ModelState, State
from contract.timestamps import parse_us, rfc3339_of_us

COLLAPSE_ABOVE: Final = 1_000
"""While the broker is away for so long that more records wait, only the newest of each version is kept."""

Models = Mapping[str, ModelState]


class ModelsError(ValueError):
    """`models.json` cannot be read, or a version is not known; the message says what to do."""


def changed(model: ModelState, state: State, who: str, why: str, now_us: int, pinned: bool | None = None) -> ModelState:
    """The model in another state; `pinned` None leaves the pin as it is."""
    pins = model.pinned if pinned is None else pinned
    return msgspec.structs.replace(model, state=state, pinned=pins, who=who, why=why, when=rfc3339_of_us(now_us))


@dataclass(frozen=True)
class ModelStates:
    """Every version's last state, what still has to be published, and how far commands were acted on."""

    models: Models
    unsent: tuple[ModelState, ...] = ()
    commands: int | None = None
    """The offset of the next command to act on; None: the topic was never seen."""
    commands_topic_id: str | None = None
    """Kafka's id of the topic that the offset is of; None where it is not known."""

    def champion(self) -> ModelState | None:
        return next((model for model in self.models.values() if model.state == "champion"), None)

    def pinned(self) -> ModelState | None:
        return next((model for model in self.models.values() if model.pinned), None)

    def newest_rejected(self) -> ModelState | None:
        """Of the versions that were rejected the newest, which tells why the last candidate does not serve."""
        rejected = (model for model in self.models.values() if model.state == "rejected")
        return max(rejected, key=lambda model: model.version, default=None)

    def with_changed(self, changed: Iterable[ModelState]) -> ModelStates:
        """The states after these changes, which wait to be published."""
        changed = list(changed)
        models = {**self.models, **{model.version: model for model in changed}}
        return replace(self, models=models, unsent=_collapsed((*self.unsent, *changed)))

    def without(self, versions: Iterable[str]) -> ModelStates:
        """Forget versions that are gone from this host; the topic keeps their records."""
        gone = set(versions)
        return replace(self, models={v: model for v, model in self.models.items() if v not in gone})

    def acknowledged(self, records: Iterable[ModelState]) -> ModelStates:
        """The broker has these records."""
        waiting = list(self.unsent)
        for record in records:
            if record in waiting:
                waiting.remove(record)
        return replace(self, unsent=tuple(waiting))

    def acted_up_to(self, offset: int, topic_id: str | None = None) -> ModelStates:
        """Every command before this offset of the topic was acted on."""
        return replace(self, commands=offset, commands_topic_id=topic_id)


def _collapsed(records: tuple[ModelState, ...]) -> tuple[ModelState, ...]:
    """All of them while they are few; then the newest of each version, in their order.

    The topic is compacted, so its readers end with the same states, and never see a newer record before an older one.
    """
    if len(records) <= COLLAPSE_ABOVE:
        return records
    newest = {record.version: number for number, record in enumerate(records)}
    return tuple(record for number, record in enumerate(records) if newest[record.version] == number)


class _File(msgspec.Struct, frozen=True):
    models: dict[str, ModelState]
    unsent: list[ModelState]
    commands: int | None = None
    commands_topic_id: str | None = None


def read_states(onprem_folder: Path) -> ModelStates:
    """What was last written; nothing, when nothing was.

    Raises:
        ModelsError: the file is broken.
    """
    path = onprem_folder / "models.json"
    try:
        whole = msgspec.json.decode(path.read_bytes(), type=_File)
    except FileNotFoundError:
        return ModelStates({})
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ModelsError(
            f"{path} is broken ({error}); move it away: admission starts anew from candidates/"
        ) from error
    wrong = [why for version, model in whole.models.items() if (why := _wrong(version, model))]
    if wrong:
        raise ModelsError(f"{path} is broken ({wrong[0]}); move it away: admission starts anew from candidates/")
    return ModelStates(whole.models, tuple(whole.unsent), whole.commands, whole.commands_topic_id)


def _wrong(version: str, model: ModelState) -> str:
    """What is wrong with a state that reads; empty where nothing is."""
    if version != model.version:
        return f"the state of {model.version!r} stands under {version!r}"
    try:
        parse_us(model.when)
    except ValueError as error:
        return f"`when` of {version}: {error}"
    return ""


def write_states(onprem_folder: Path, states: ModelStates) -> None:
    """Replace the file; it is on disk when this returns."""
    whole = {"models": states.models, "unsent": states.unsent}
    noted = {"commands": states.commands, "commands_topic_id": states.commands_topic_id}
    known = {name: value for name, value in noted.items() if value is not None}
    text = json.dumps(msgspec.to_builtins(whole | known), indent=1)
    write_durably(onprem_folder / "models.json", text.encode())
