"""The stand-in's HTTP: EasyPost's trackers and shipments, and `/_control/…` to steer it."""

import base64
import ipaddress
import json
import logging
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from shop.local.carrier.depot import Depot, describe_tracker
from shop.local.carrier.labels import LabelCounter

logger = logging.getLogger(__name__)
LARGEST_BODY = 64 * 1024
TICK_SECONDS = 0.2


class CarrierServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, host: str, port: int, depot: Depot, labels: LabelCounter, *, api_key: str) -> None:
        if not ipaddress.ip_address(host).is_loopback:
            raise ValueError("The stand-in listens on loopback only.")
        super().__init__((host, port), CarrierHandler)
        self.depot, self.labels, self.api_key = depot, labels, api_key
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self.serve_forever, args=(0.1,), daemon=True),
            threading.Thread(target=self._run_clock, daemon=True),
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self.shutdown()
        self.server_close()

    def _run_clock(self) -> None:
        while not self._stopping.wait(TICK_SECONDS):
            self.depot.advance()
            self.depot.post_due()


class CarrierHandler(BaseHTTPRequestHandler):
    server: CarrierServer
    protocol_version = "HTTP/1.1"
    timeout = 30

    def do_GET(self) -> None:
        self._handle()

    def do_POST(self) -> None:
        self._handle()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it
        logger.debug(format, *args)

    def _handle(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > LARGEST_BODY:
            self.close_connection = True
            self._send(413, {"error": "Too large."})
            return
        body = self.rfile.read(int(length))
        try:
            told = json.loads(body) if body else {}
            self._route(self.path.rstrip("/"), told)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            self._send(422, {"error": {"code": "BAD_REQUEST", "message": repr(error)}})

    def _route(self, path: str, told: dict[str, Any]) -> None:
        depot = self.server.depot
        if path == "/healthz":
            self._send(200, {"status": "ok"})
        elif path.startswith("/labels/"):
            drawn = self.server.labels.draw(path.removeprefix("/labels/").removesuffix(".pdf"))
            self._send_body(200, drawn, "application/pdf")
        elif path.startswith("/_control/"):
            self._steer(path.removeprefix("/_control/"), told, depot)
        elif path.startswith("/v2/"):
            self._answer_client(path.removeprefix("/v2/").split("/"), told)
        else:
            self._send_nothing_there()

    def _answer_client(self, path: list[str], told: dict[str, Any]) -> None:
        """What somebody with a key asks."""
        expected = "Basic " + base64.b64encode(f"{self.server.api_key}:".encode()).decode()
        if self.headers.get("Authorization") != expected:
            self._send(401, {"error": {"code": "APIKEY.INACTIVE", "message": "This api key is not known."}})
            return
        self.server.depot.requests.append(told or {"path": self.path})
        match self.command, path:
            case "POST", ["trackers"]:
                self._make_tracker(told)
            case "GET", ["trackers", tracker_id]:
                self._show_tracker(tracker_id)
            case "POST", ["shipments"]:
                self._send(201, self.server.labels.create(told["shipment"]))
            case "GET", ["shipments", shipment_id]:
                self._send(200, self.server.labels.shipments[shipment_id])
            case "POST", ["shipments", shipment_id, "buy"]:
                base_url = f"http://{self.headers['Host']}"
                self._send(200, self.server.labels.buy(shipment_id, told["rate"]["id"], base_url=base_url))
            case _:
                self._send_nothing_there()

    def _make_tracker(self, told: dict[str, Any]) -> None:
        number = told["tracker"]["tracking_code"]
        if not isinstance(number, str) or not number.strip():
            raise ValueError("tracking_code is missing")
        self._send(200, describe_tracker(self.server.depot.follow(number)))

    def _show_tracker(self, tracker_id: str) -> None:
        parcel = self.server.depot.find_tracker(tracker_id)
        if parcel is None:
            self._send_nothing_there()
        else:
            self._send(200, describe_tracker(parcel))

    def _steer(self, what: str, told: dict[str, Any], depot: Depot) -> None:
        steps: dict[str, Callable[[], Any]] = {
            "parcels": lambda: describe_tracker(depot.follow(**told)) if told else sorted(depot.parcels),
            "life": lambda: depot.change_life(**told),
            "scan": lambda: depot.scan(told["number"], tuple(told["step"]), at=told.get("at", "")),
            "advance": lambda: depot.advance(everything=True),
            "webhooks": lambda: depot.change_posting(**told),
            "requests": lambda: depot.requests,
            "labels": lambda: list(self.server.labels.shipments.values()),
            "deliveries": lambda: [
                {"event": each.event_id, "status": each.last_status, "tries": each.attempt_count, "done": each.is_done}
                for each in depot.deliveries
            ],
        }
        self._send(200, {"answer": steps[what]()})

    def _send_nothing_there(self) -> None:
        self._send(404, {"error": {"code": "NOT_FOUND", "message": "There is no such thing here."}})

    def _send(self, status: int, answer: object) -> None:
        self._send_body(status, json.dumps(answer).encode(), "application/json")

    def _send_body(self, status: int, body: bytes, content_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
