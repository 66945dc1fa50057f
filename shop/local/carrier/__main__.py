"""``python -m shop.local.carrier --port 8037 --data DIR --webhook-url URL --webhook-secret S --api-key K``."""

import argparse
import logging
import signal
import sys
import threading
from pathlib import Path

from shop.local.carrier.depot import Depot, PostingSettings
from shop.local.carrier.labels import LabelCounter
from shop.local.carrier.server import CarrierServer


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m shop.local.carrier", description="A stand-in for EasyPost.")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address")
    parser.add_argument("--data", type=Path, required=True, help="folder that keeps the parcels")
    parser.add_argument("--api-key", required=True)
    parser.add_argument("--webhook-url", required=True, help="where signed events are posted")
    parser.add_argument("--webhook-secret", required=True)
    parser.add_argument("--currency", default="GBP", help="what labels are sold in")
    parser.add_argument("--pace", type=float, default=15.0, help="seconds from one scan of a parcel to the next")
    given = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    posting = PostingSettings(given.webhook_url, given.webhook_secret.split(",")[0])
    try:
        depot = Depot(given.data, posting, pace_seconds=given.pace)
        labels = LabelCounter(currency=given.currency)
        server = CarrierServer(given.host, given.port, depot, labels, api_key=given.api_key)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"The carrier stand-in cannot start: {error}\n")
        return 1
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    server.start()
    sys.stdout.write(f"Carrier stand-in (port {server.server_address[1]})\n")
    sys.stdout.flush()
    stopped.wait()
    server.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
