"""The topics that hotpath itself writes, and what every record has in common. Imports nothing.

A pipeline's own topics are also properties of `contract.pipeline.Pipeline`.
"""

from __future__ import annotations

from typing import Final

OWN_PREFIX: Final = "hotpath."
"""Every topic that hotpath writes for all pipelines begins so."""

APPEND_TIME_HEADER: Final = "hotpath.append_time"
"""Kafka header of an imported record: its original append time, decimal milliseconds since 1970."""

PROGRESS_TOPIC: Final = "hotpath.progress"
"""Cloud topic, compacted, written by the mirror watcher; see `contract.messages.progress`."""

IMPORTS_TOPIC: Final = "hotpath.imports"
"""On-prem topic, compacted, written by whoever imports history; see `contract.messages.imports`."""

TRAINING_COMMANDS_TOPIC: Final = "hotpath.commands"
"""Cloud topic, compacted, written by people's commands; see `contract.messages.commands`."""

MAX_RECORD_BYTES: Final = 8 * 1024 * 1024
"""The largest record, the same at the brokers, the mirror and every consumer. On-prem brokers count it compressed."""

MAX_UNPACKED_BYTES: Final = 32 * 1024 * 1024
"""The largest record that is mirrored, unpacked. Above MAX_RECORD_BYTES it becomes a dead letter in the cloud."""


def predictions_topic(pipeline: str) -> str:
    """On-prem: the answers that were given."""
    return f"{pipeline}.predictions"


def models_topic(pipeline: str) -> str:
    """On-prem, compacted: the models' states."""
    return f"{pipeline}.models"


def commands_topic(pipeline: str) -> str:
    """On-prem: operators' commands to the rollout; the mirror does not carry it."""
    return f"{pipeline}.commands"
