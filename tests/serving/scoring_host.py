"""One host with a pipeline, a compiled model and real scorers, for tests; every answer is held to its schema."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
from jsonschema import Draft202012Validator
from prometheus_client.parser import text_string_to_metric_families

from serving._native import compile_bundle
from serving.prediction.answer import answer_schema
from serving.prediction.problems import problem_schema
from streaming.pipeline_file.compile_pipeline import compile_pipeline
from streaming.pipeline_file.load import load
from tests.serving.hot_host import HotHost
from tests.serving.small_model import manifest, mojo
from tests.waiting import until

KEY = "opensesame"
PIPELINE = Path(__file__).with_name("machines.toml")
FAILING_SCORER = Path(__file__).with_name("failing_scorer.py")
VERSION = "p-20261121T021700Z"
ANSWER = Draft202012Validator(answer_schema() | {"additionalProperties": False})
PROBLEM = Draft202012Validator(problem_schema())
PREDICT = "/v1/pipelines/p/predict"
QUESTION: dict[str, Any] = {"id": "q1", "machine": "m-1", "colour": "red", "size": 2.5}


class Scorer:
    """A running scorer process, asked over its own Unix socket or, when it has it, over the hot address."""

    def __init__(self, name: str, process: subprocess.Popen[bytes], unix_socket: Path, port: int) -> None:
        self.name, self.process = name, process
        self.own = httpx.Client(
            transport=httpx.HTTPTransport(uds=str(unix_socket)), base_url="http://scorer", timeout=30
        )
        self.hot = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30)

    def ask(self, body: object = QUESTION, *, hot: bool = False, path: str = PREDICT, **asked: Any) -> httpx.Response:
        """POST a question; `body` is sent as it is when it is bytes. Further arguments: params, headers, key."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        key = asked.pop("key", KEY)
        headers = {"authorization": f"Bearer {key}"} | asked.pop("headers", {})
        answer = (self.hot if hot else self.own).post(path, content=content, headers=headers, **asked)
        return checked(answer)

    def get(self, path: str, *, hot: bool = False) -> httpx.Response:
        return (self.hot if hot else self.own).get(path, headers={"authorization": f"Bearer {KEY}"})

    def metrics(self) -> dict[str, float]:
        """Sample -> value, as `name{label=value,...}` without the pipeline."""
        found = {}
        for family in text_string_to_metric_families(self.own.get("/metrics").text):
            for sample in family.samples:
                labels = ",".join(f"{name}={value}" for name, value in sample.labels.items() if name != "pipeline")
                found[f"{sample.name}{{{labels}}}"] = sample.value
        return found

    def close(self) -> None:
        self.own.close()
        self.hot.close()


class ScoringHost(HotHost):
    """A `HotHost` whose pipeline `p` is the one in machines.toml, with an admitted bundle."""

    def __post_init__(self) -> None:
        super().__post_init__()
        (self.data / "keys").write_text(f"{KEY}\n")
        (self.data / "pipelines" / "p.toml").write_text(PIPELINE.read_text())
        self.pipeline = load(self.data / "pipelines" / "p.toml")
        self.spec = compile_pipeline(self.pipeline).spec
        self.bundle = self.data / f"{VERSION}.bundle"
        self.manifest = manifest(self.pipeline, VERSION)
        compile_bundle(mojo(), self.spec, json.dumps(self.manifest), str(self.bundle))

    def launch(
        self, name: str, *, bundle: bool = True, env: Mapping[str, str] | None = None, failing: str | None = None
    ) -> Scorer:
        """A scorer process that was started; it may not be ready yet. `failing`: the part that `fail` makes fail."""
        arguments = ["--pipeline", "p", "--name", name, *(["--bundle", str(self.bundle)] if bundle else [])]
        program = [str(FAILING_SCORER), failing] if failing else ["-m", "serving.scorer"]
        process = self.start(*program, *arguments, env=dict(env or {}))
        return Scorer(name, process, self.sockets / f"{name}.sock", self.port)

    def fail(self, part: str) -> None:
        (self.data / f"fail-{part}").touch()

    def answering(self, scorer: Scorer) -> Scorer:
        """The same scorer, once it answers."""
        until(lambda: self._lives(scorer), 20, f"{scorer.name}: {self.said()}", 0.02)
        return scorer

    def _lives(self, scorer: Scorer) -> bool:
        assert scorer.process.poll() is None, self.said()
        try:
            return scorer.own.get("/health/live").status_code == 200
        except httpx.TransportError:
            return False


def checked(answer: httpx.Response) -> httpx.Response:
    """The answer itself, after it was held to the schema of its kind; a 500 is none."""
    assert answer.status_code != 500, answer.text
    (ANSWER if answer.status_code == 200 else PROBLEM).validate(answer.json())
    kind = "application/json" if answer.status_code == 200 else "application/problem+json"
    assert answer.headers["content-type"] == kind
    return answer


def faults_of(answer: httpx.Response) -> set[tuple[str, str | None]]:
    """(code, field) of every error in a problem document."""
    return {(fault["code"], fault["field"]) for fault in answer.json()["errors"]}


def warnings_of(answer: httpx.Response) -> set[tuple[str, str]]:
    return {(warning["code"], warning["field"]) for warning in answer.json()["warnings"]}
