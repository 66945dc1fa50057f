"""``python -m shop.local.stripe --port 4242 --data DIR --webhook-url URL --webhook-secret S --api-key K``."""

import argparse
import dataclasses
import logging
import signal
import sys
import threading
from pathlib import Path

from shop.local.stripe.account import DEFAULT_EVENTS, StandInOptions, StripeAccount
from shop.local.stripe.server import StandInServer


def parse_options(arguments: list[str]) -> StandInOptions:
    parser = argparse.ArgumentParser(prog="python -m shop.local.stripe", description="A stand-in for Stripe.")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address")
    parser.add_argument("--data", type=Path, required=True, help="folder that keeps sessions and charges")
    parser.add_argument("--api-key", required=True)
    parser.add_argument("--webhook-url", default="", help="where signed events are posted")
    parser.add_argument("--webhook-secret", default="")
    parser.add_argument("--webhook-events", default=",".join(DEFAULT_EVENTS), help="types, * as wildcard")
    parser.add_argument("--public-url", default="", help="the payment page's origin, http://localhost:PORT")
    parser.add_argument("--business-name", default="Say When")
    given = vars(parser.parse_args(arguments))
    given["webhook_events"] = tuple(filter(None, given["webhook_events"].split(",")))
    return StandInOptions(**given)


def main(arguments: list[str]) -> int:
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    account = StripeAccount(parse_options(arguments))
    try:
        server = StandInServer(account)
    except (OSError, ValueError) as error:
        account.store.close()
        sys.stderr.write(f"The Stripe stand-in cannot start: {error}\n")
        return 1
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    port = server.server_address[1]
    if not account.options.public_url:
        account.options = dataclasses.replace(account.options, public_url=f"http://localhost:{port}")
    server.start()
    sys.stdout.write(f"Stripe stand-in on {account.options.public_url} (port {port})\n")
    sys.stdout.flush()
    stopped.wait()
    server.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
