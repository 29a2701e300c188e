"""The scorer: one process that answers one pipeline's questions with one model.

    python -m serving.scorer --pipeline NAME --bundle PATH --name SCORER_NAME

Without `--bundle` it answers 503: somebody must, while there is no model.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

import uvloop

from contract.environment import Environment
from contract.layout import Places, PlacesError
from contract.log_lines import start_logging
from contract.pipeline import Pipeline
from serving.http.admin_app import listen_on_own_socket
from serving.http.caller_keys import Keys, KeysError
from serving.http.hot_route import HotRoute
from serving.http.http_protocol import protocol_factory
from serving.http.limits import Limits
from serving.http.predict import Predictor
from serving.http.scorer_state import ScorerState, show_age, stop_on_signals
from serving.listener.listen_addresses import hot_address
from serving.listener.listener_client import ListenerClient
from serving.prediction.served_model import ServedModel, ServedModelError
from serving.prediction_log.disk_spool import Spool
from serving.prediction_log.producer import PredictionLog
from streaming.pipeline_file.diagnostics import PipelineError
from streaming.pipeline_file.load import load

FLUSH_S = 3.0
"""How long a scorer that leaves waits for Kafka to take its last predictions, before it writes them to disk."""

logger = logging.getLogger("scorer")


async def serve(name: str, bundle: Path | None, pipeline: Pipeline, places: Places) -> None:
    """Open the bundle; answer on the Unix socket; borrow the hot address when it is lent; drain; flush."""
    stop = asyncio.Event()
    keys, limits = Keys.read(Environment(), places.folder.keys), Limits.read(Environment())
    model = ServedModel(bundle, pipeline) if bundle else None
    log = _prediction_log(name, pipeline, places, limits) if model and pipeline.serving.log_predictions else None
    predictor = Predictor(pipeline, model, log, name) if model else None
    route = HotRoute(pipeline.name, predictor, keys, limits, lambda: listener.draining)
    version, address = model.version if model else None, hot_address(places, pipeline.name)
    listener = ListenerClient(places.sockets, name, pipeline.name, address, protocol_factory(route), stop.set, version)
    state = ScorerState(name, pipeline.name, version, listener)

    stop_on_signals(listener, stop)
    show_age(pipeline, model)
    async with listen_on_own_socket(places.sockets / f"{name}.sock", route, state), asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(listener.run()), tasks.create_task(keys.follow())]
        logger.info("%s is ready with %s", name, version or "no model")
        await stop.wait()
        for task in running:
            task.cancel()
    if log:
        await asyncio.to_thread(log.close, FLUSH_S)
    logger.info("%s has left", name)


def _prediction_log(name: str, pipeline: Pipeline, places: Places, limits: Limits) -> PredictionLog:
    spool = Spool(places.folder.spool(pipeline.name), name, limits.spool_bytes)
    return PredictionLog(places.onprem, pipeline, spool)


def main() -> int:
    """Read the arguments, the environment and the deployed pipeline file; serve until told to stop."""
    start_logging()
    arguments = _arguments()
    try:
        places = Places.from_environment(needs=("onprem",))
        pipeline = _deployed(places, arguments.pipeline)
        uvloop.run(serve(arguments.name, arguments.bundle, pipeline, places))
    except (PlacesError, PipelineError, KeysError, ServedModelError, OSError) as error:
        logger.error("%s", error)
        return 1
    return 0


def _deployed(places: Places, name: str) -> Pipeline:
    file = places.pipelines / f"{name}.toml"
    if not file.exists():
        raise PlacesError(f"no pipeline {name} is deployed: {file} is not there; deploy it with hotpath up FILE")
    return load(file)


def _arguments() -> Namespace:
    parser = ArgumentParser(prog="python -m serving.scorer")
    parser.add_argument("--pipeline", required=True, help="name of a deployed pipeline")
    parser.add_argument("--bundle", type=Path, help="the admitted bundle; without it every question gets a 503")
    parser.add_argument("--name", required=True, help="this scorer's name: of its Unix socket and in its records")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
