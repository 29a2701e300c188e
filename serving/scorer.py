"""The scorer: one process that answers one pipeline's questions with one model.

    python -m serving.scorer --pipeline NAME --bundle PATH --name SCORER_NAME

Without `--bundle` it answers 503: callers get an answer before there is a first model, too.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Final

import uvloop

from contract import variables
from contract.data_folder import DataFolder
from contract.environment import Environment, VariableError
from contract.files import write_durably
from contract.layout import Places
from contract.log_lines import start_logging
from contract.pipeline import Pipeline
from contract.process_end import vital_task
from serving.http.admin_app import listen_on_own_socket
from serving.http.caller_keys import Keys, KeysError
from serving.http.end_in_order import EndInOrder
from serving.http.hot_route import HotRoute
from serving.http.http_protocol import protocol_factory
from serving.http.limits import Limits
from serving.http.predict import Predictor
from serving.http.scorer_state import STOP_S, ScorerState, show_age, stop_on_signals
from serving.listener.listen_addresses import hot_address
from serving.listener.listener_client import ListenerClient
from serving.prediction.served_model import ServedModel, ServedModelError
from serving.prediction_log.disk_spool import Spool
from serving.prediction_log.producer import PredictionLog
from streaming.pipeline_file.diagnostics import PipelineError
from streaming.pipeline_file.load import load

FLUSH_S: Final = 3.0
"""How long a scorer that stops takes for its last predictions: to Kafka if it answers, else to disk."""
_SLACK_S: Final = 5.0

logger = logging.getLogger("scorer")


async def serve(name: str, bundle: Path | None, pipeline: Pipeline, places: Places) -> int:
    """Open the bundle; answer on the Unix socket, and on the hot address when it is given; drain; flush. Exit code."""
    stop = asyncio.Event()
    tasks: list[asyncio.Task[None]] = []
    end = EndInOrder(lambda: _leave(tasks, listener), within_s=STOP_S + FLUSH_S + _SLACK_S)
    keys, limits = Keys.read(Environment(), places.folder.keys), Limits.read(Environment())
    model = ServedModel(bundle, pipeline) if bundle else None
    log = _prediction_log(name, pipeline, places, limits, end) if model and pipeline.serving.log_predictions else None
    predictor = Predictor(pipeline, model, log, name) if model else None
    route = HotRoute(pipeline.name, predictor, keys, limits, lambda: listener.draining)
    version, address = model.version if model else None, hot_address(places, pipeline.name)
    listener = ListenerClient(places.sockets, name, pipeline.name, address, protocol_factory(route), stop.set, version)
    state = ScorerState(name, pipeline.name, version, listener)

    stop_on_signals(listener, stop)
    show_age(pipeline, model)
    async with listen_on_own_socket(places.sockets / f"{name}.sock", route, state):
        tasks += [vital_task(listener.run(), "listener", end), vital_task(keys.follow(), "keys", end)]
        logger.info("ready scorer=%s model=%s", name, version or "none")
        await stop.wait()
        for task in tasks:
            task.cancel()
    if log:
        await asyncio.to_thread(log.close, FLUSH_S)
    logger.info("stopped scorer=%s", name)
    return end.code


def _leave(tasks: list[asyncio.Task[None]], listener: ListenerClient) -> None:
    """Leave the socket manager, so that it does not call this scorer back, and drain."""
    for task in tasks:
        task.cancel()
    listener.drain(STOP_S)


def _prediction_log(
    name: str, pipeline: Pipeline, places: Places, limits: Limits, on_end: Callable[[str], None]
) -> PredictionLog:
    spool = Spool(places.folder.spool(pipeline.name), name, limits.spool_bytes)
    return PredictionLog(places.onprem, pipeline, spool, on_end)


def main() -> int:
    """Read the arguments, the environment and the deployed pipeline file; serve until told to stop.

    0 when told to stop, 70 when a part of it has ended unasked, 1 when it cannot start. Where that is not the model's
    fault, it leaves a note for the rollout, which then does not reject the model.
    """
    start_logging()
    arguments = _arguments()
    try:
        places = Places.from_environment(needs=("onprem",))
        pipeline = _deployed(places, arguments.pipeline)
        return uvloop.run(serve(arguments.name, arguments.bundle, pipeline, places))
    except ServedModelError as error:
        logger.error("%s", error)
    except (VariableError, PipelineError, KeysError, OSError) as error:
        logger.error("%s", error)
        _leave_note(arguments.name, str(error))
    return 1


def _leave_note(name: str, why: str) -> None:
    folder = DataFolder(Environment().get(variables.DATA).absolute())
    write_durably(folder.scorer_trouble(name), why.encode())


def _deployed(places: Places, name: str) -> Pipeline:
    file = places.pipelines / f"{name}.toml"
    if not file.exists():
        raise FileNotFoundError(f"no pipeline {name} is deployed: {file} is not there; deploy it with hotpath up FILE")
    return load(file)


def _arguments() -> Namespace:
    parser = ArgumentParser(prog="python -m serving.scorer")
    parser.add_argument("--pipeline", required=True, help="name of a deployed pipeline")
    parser.add_argument("--bundle", type=Path, help="the admitted bundle; without it every question gets a 503")
    parser.add_argument("--name", required=True, help="this scorer's name: of its Unix socket and in its records")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
