"""One host with a socket manager, a rollout and its scorers; candidates come as pull would bring them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from typing import Any

import msgspec

from contract.layout import Places
from contract.messages.operator_commands import read_request
from serving.rollout.command_socket import NoRollout, ask_rollout
from serving.rollout.scorer_processes import remembered
from streaming.pipeline_file.load import load
from tests.serving.local_candidates import write_candidate
from tests.serving.scoring_host import ScoringHost

WATCH = "2s"


class RolloutHost(ScoringHost):
    """Everything that serves pipeline `p`, without a broker and without the cloud."""

    watch = WATCH

    def __post_init__(self) -> None:
        super().__post_init__()
        file = self.data / "pipelines" / "p.toml"
        file.write_text(file.read_text().replace("[serving]", f'[serving]\nwatch = "{self.watch}"'))
        self.pipeline = load(file)

    @property
    def places(self) -> Places:
        return Places.from_environment(self.env)

    def rollout(self) -> subprocess.Popen[bytes]:
        """A started rollout that answers commands."""
        process = self.start("-m", "serving.rollout.rollout", "p")
        self.waits(lambda: self.command(do="list")["ok"], "the rollout answers")
        return process

    def candidate(self, number: int, *, proposed: bool = True, wrong: bool = False) -> str:
        folder = self.places.onprem_folder("p") / "candidates"
        return write_candidate(folder, self.pipeline, number, proposed=proposed, wrong=wrong)

    def command(self, **request: Any) -> dict[str, Any]:
        try:
            asked = read_request(json.dumps({"who": "ann"} | request).encode())
            reply: dict[str, Any] = msgspec.to_builtins(ask_rollout(self.sockets, "p", asked))
            return reply
        except NoRollout as error:
            return {"ok": False, "why": str(error), "models": []}

    def models(self) -> dict[str, str]:
        """Version -> state, `!` for the pinned one."""
        listed = self.command(do="list")["models"]
        return {model["version"]: model["state"] + "!" * model["pinned"] for model in listed}

    def becomes(self, states: dict[str, str]) -> None:
        self.waits(lambda: states.items() <= self.models().items(), f"{states}, not {self.models()}", 30)

    def serving(self) -> list[str | None]:
        """The versions of the scorers that accept."""
        scorers = (self.state() or {"scorers": []})["scorers"]
        return [scorer["model"] for scorer in scorers if scorer["state"] == "accepting"]

    def accepting_pids(self, version: str) -> list[int]:
        """The pids of the scorers of a version that accept."""
        scorers = (self.state() or {"scorers": []})["scorers"]
        return [each["pid"] for each in scorers if each["state"] == "accepting" and each["model"] == version]

    def serves(self, version: str | None) -> None:
        self.waits(lambda: self.serving() == [version], f"{version} alone accepts, not {self.serving()}", 30)

    def scorer_pid(self, version: str | None) -> int:
        return next(s.pid for s in remembered(self.places, "p") if s.version == version and s.lives())

    def said(self, characters: int = 4000) -> str:
        scorers = self.data / "logs" / "scorers-p.log"
        return super().said(characters) + (scorers.read_text()[-characters:] if scorers.exists() else "")

    def close(self) -> None:
        for scorer in remembered(self.places, "p") if (self.data / "onprem").exists() else ():
            if scorer.lives():
                os.kill(scorer.pid, signal.SIGKILL)
        super().close()
