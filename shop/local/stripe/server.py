"""The process: routes a request to the API, the page or the control surface, and plays the faults."""

import ipaddress
import json
import logging
import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from shop.local.stripe import api, checkout, objects, pages
from shop.local.stripe.account import StripeAccount
from shop.local.stripe.api import Api, ApiRequest
from shop.local.stripe.control import Control
from shop.local.stripe.faults import Fault, FaultQueue
from shop.local.stripe.idempotency import ApiResponse
from shop.local.stripe.pages import HostedPage

logger = logging.getLogger(__name__)

_LARGEST_BODY = 2 * 1024 * 1024
_SWEEP_SECONDS = 1.0
_LOCAL_NAMES = {"localhost", "127.0.0.1", "::1"}


class StandInServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, account: StripeAccount) -> None:
        options = account.options
        if not ipaddress.ip_address(options.host).is_loopback:
            raise ValueError("The stand-in listens on loopback only.")
        super().__init__((options.host, options.port), StandInHandler)
        self.account = account
        self.api = Api(account)
        self.faults = FaultQueue()
        self.control = Control(account, self.faults)
        self.stopping = threading.Event()
        self._sweeper = threading.Thread(target=self._sweep, name="expiry", daemon=True)

    def start(self) -> None:
        self.account.postman.start()
        self._sweeper.start()
        threading.Thread(target=self.serve_forever, args=(0.1,), name="http", daemon=True).start()

    def stop(self) -> None:
        self.stopping.set()
        self.shutdown()
        self.server_close()
        self.account.postman.stop()
        self._sweeper.join(timeout=2)
        self.account.store.close()

    def _sweep(self) -> None:
        """Sessions end on time even if nobody asks about them."""
        while not self.stopping.wait(_SWEEP_SECONDS):
            if checkout.expire_due_sessions(self.account):
                self.account.postman.nudge()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A buyer who closes the connection is no error; anything else is ours, and printed."""
        if isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            logger.debug("connection from %s ended early", client_address)
        else:
            super().handle_error(request, client_address)


class StandInHandler(BaseHTTPRequestHandler):
    server: StandInServer
    protocol_version = "HTTP/1.1"
    server_version = "StripeStandIn"
    sys_version = ""
    disable_nagle_algorithm = True
    timeout = 120

    def do_GET(self) -> None:
        self._handle()

    def do_POST(self) -> None:
        self._handle()

    def do_DELETE(self) -> None:
        self._handle()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it
        logger.debug(format, *args)

    def _handle(self) -> None:
        body = self._read_body()
        if body is None:
            return
        parts = urlsplit(self.path)
        if parts.path.startswith("/v1/"):
            encoded = body.decode("utf-8", "replace") if self.command == "POST" else parts.query
            self._handle_api(ApiRequest(self.command, parts.path, encoded, self.headers))
        elif parts.path.startswith("/_control/"):
            self._handle_control(parts.path, body)
        elif parts.path == "/healthz":
            self._send_json(200, {"status": "ok"})
        else:
            self._handle_page(parts.path, body)
            self.server.account.postman.nudge()

    def _read_body(self) -> bytes | None:
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > _LARGEST_BODY:
            self.close_connection = True
            self._send_json(413, {"error": {"message": "Request too large.", "type": "invalid_request_error"}})
            return None
        return self.rfile.read(int(length))

    # The API

    def _handle_api(self, request: ApiRequest) -> None:
        fault = self.server.faults.take(request.method, request.path)
        started = time.monotonic()
        seen = self._record(request, fault)
        if fault and fault.do == "drop":
            self._cut_connection(b"")
            return
        answer = self._answer_with_fault(request, fault)
        seen |= {
            "status": answer.status,
            "replayed": "Idempotent-Replayed" in answer.headers,
            "seconds": round(time.monotonic() - started, 4),
        }
        payload = json.dumps(answer.body, indent=2).encode()
        headers = {**answer.headers, "Request-Id": answer.request_id}
        if request.idempotency_key:
            headers["Idempotency-Key"] = request.idempotency_key
        headers["Stripe-Version"] = request.headers.get("Stripe-Version", objects.API_VERSION)
        if fault and fault.do == "vanish":
            self._cut_connection(b"")
            return
        if fault and fault.do == "cut":
            self._cut_connection(payload[: len(payload) // 2], whole=len(payload))
            return
        self._send(answer.status, payload, "application/json", headers)

    def _answer_with_fault(self, request: ApiRequest, fault: Fault | None) -> ApiResponse:
        match fault:
            case None:
                return self.server.api.answer(request)
            case Fault(do="refuse"):
                return api.make_server_error(request, final=False)
            case Fault(do="limit"):
                return api.make_rate_limit_error(request)
            case Fault(do="hang"):
                return self.server.api.answer(request, first=lambda: self._wait(fault.seconds))
            case Fault(do="fail_after"):
                return self._answer_then_fail(request)
        answer = self.server.api.answer(request)
        if fault.do == "hang_after":
            self._wait(fault.seconds)
        return api.make_server_error(request, final=False) if fault.do == "lose" else answer

    def _answer_then_fail(self, request: ApiRequest) -> ApiResponse:
        self.server.api.answer(request, keep_failure=True)
        return api.make_server_error(request)

    def _wait(self, seconds: float) -> None:
        self.server.stopping.wait(seconds)

    def _record(self, request: ApiRequest, fault: Fault | None) -> dict[str, Any]:
        seen = {
            "id": request.id,
            "at": time.time(),
            "method": request.method,
            "path": request.path,
            "params": request.encoded,
            "idempotency_key": request.idempotency_key,
            "version": request.headers.get("Stripe-Version"),
            "fault": fault.do if fault else None,
            "status": None,
        }
        self.server.control.requests.append(seen)
        return seen

    def _cut_connection(self, part: bytes, *, whole: int = 0) -> None:
        """The connection ends in the middle of an answer, or before any."""
        self.close_connection = True
        if part:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(whole))
            self.end_headers()
            self.wfile.write(part)
            self.wfile.flush()
        self.connection.shutdown(socket.SHUT_RDWR)

    # The page

    def _handle_page(self, path: str, body: bytes) -> None:
        page = self._find_page(path.strip("/").split("/"), body)
        if page is None:
            self._send_json(404, {"error": {"message": f"Nothing at {path}"}})
            return
        targets = " ".join(("'self'", *page.form_targets))
        headers = {
            "Cache-Control": "no-store",
            "Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'; "
            f"frame-ancestors 'none'; form-action {targets}",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
        }
        if page.location:
            headers["Location"] = page.location
        self._send(page.status, page.body, page.content_type, headers)

    def _find_page(self, steps: list[str], body: bytes) -> HostedPage | None:
        account = self.server.account
        match (self.command, *steps):
            case ("GET", "assets", "page.css"):
                return pages.serve_style()
            case ("GET", "c", "pay", session_id):
                return pages.show_payment_page(account, session_id)
            case ("GET", "c", "pay", session_id, "authenticate"):
                return pages.show_authentication(account, session_id)
            case ("POST", "c", "pay", session_id):
                return pages.handle_click(account, session_id, body.decode("utf-8", "replace"))
        return None

    # The control surface

    def _handle_control(self, path: str, body: bytes) -> None:
        """For programs on this machine: a page in a browser may not reach it, whatever name it uses."""
        host = urlsplit(f"//{self.headers.get('Host', '')}").hostname
        if host not in _LOCAL_NAMES or "Origin" in self.headers or "Sec-Fetch-Site" in self.headers:
            self._send_json(403, {"error": {"message": "The control surface answers local programs only."}})
            return
        self._send_json(*self.server.control.answer(self.command, path, body))

    def _send_json(self, status: int, answer: dict[str, Any]) -> None:
        self._send(status, json.dumps(answer).encode(), "application/json", {})

    def _send(self, status: int, payload: bytes, content_type: str, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)
