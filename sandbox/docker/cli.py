"""`python3 -m sandbox docker ...`: the engine and the images, as `make setup` asks for them."""

import argparse
import sys
import time

from sandbox.docker.agent import ensure_agent_image
from sandbox.docker.command import DockerFailed
from sandbox.docker.engine import ensure_engine, stop_engine
from sandbox.docker.images import RELEASES, ensure_images


def main(argv: list[str]) -> int:
    chosen = _parser().parse_args(argv)
    try:
        said: str = chosen.order(chosen)
    except DockerFailed as failure:
        sys.stderr.write(f"{failure}\n")
        return 1
    sys.stdout.write(f"{said}\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python3 -m sandbox docker", description=__doc__)
    orders = parser.add_subparsers(required=True)
    engine = orders.add_parser("engine", help="make sure that a Docker engine answers")
    engine.add_argument("--owner", type=int, help="uid that may use an engine started here")
    engine.set_defaults(order=_engine)
    images = orders.add_parser("images", help="build the images that are missing")
    images.add_argument("release", nargs="?", choices=sorted(RELEASES))
    images.set_defaults(order=_images)
    agent = orders.add_parser("agent", help="build the agent's image from this tree")
    agent.set_defaults(order=_agent)
    end = orders.add_parser("stop-engine", help="stop the engine, if it was started here")
    end.set_defaults(order=_stop_engine)
    return parser


def _engine(chosen: argparse.Namespace) -> str:
    return f"Docker engine {ensure_engine(chosen.owner)} answers"


def _images(chosen: argparse.Namespace) -> str:
    ensure_engine()
    begun = time.monotonic()
    built = ensure_images([chosen.release] if chosen.release else RELEASES)
    if not built:
        return "the container images are up to date"
    return f"built {', '.join(built)} ({time.monotonic() - begun:.0f} s)"


def _agent(_chosen: argparse.Namespace) -> str:
    ensure_engine()
    return f"{ensure_agent_image()} is up to date"


def _stop_engine(_chosen: argparse.Namespace) -> str:
    return "the engine is stopped" if stop_engine() else "no engine was started here"
