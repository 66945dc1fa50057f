"""The stand-in as a process under a test's hand.

with StandIn(folder, webhook_url="http://127.0.0.1:8000/webhooks/stripe/") as stripe_standin:
    client = stripe_standin.client()          # the official library, pointed here
    stripe_standin.pay(session.id)            # what the buyer's click does
    stripe_standin.fault("lose", on="POST /v1/refunds")
"""

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

import stripe

_START_SECONDS = 120


class StandIn:
    def __init__(
        self,
        folder: Path,
        *,
        port: int = 0,
        webhook_url: str = "",
        webhook_secret: str = "whsec_stand_in",  # noqa: S107 - opens nothing
        api_key: str = "sk_test_stand_in",
        extra: tuple[str, ...] = (),
    ) -> None:
        self.folder = folder
        self.port = port
        self.webhook_url = webhook_url
        self.webhook_secret = webhook_secret
        self.api_key = api_key
        self._extra = extra
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The API's base, for STRIPE_API_BASE; the page is on the same port of localhost."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def origin(self) -> str:
        return f"http://localhost:{self.port}"

    def client(self, **options: Any) -> stripe.StripeClient:
        return stripe.StripeClient(self.api_key, base_addresses={"api": self.url}, **options)

    # The process

    def start(self) -> None:
        """On the same port as before, if it was started before."""
        self.folder.mkdir(parents=True, exist_ok=True)
        command = [
            sys.executable, "-m", "shop.local.stripe", "--port", str(self.port), "--data", str(self.folder),
            "--webhook-url", self.webhook_url, "--webhook-secret", self.webhook_secret,
            "--api-key", self.api_key, *self._extra,
        ]  # fmt: skip
        root = Path(__file__).resolve().parents[3]
        with (self.folder / "log").open("a") as log:
            self._process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=log, text=True, cwd=root, env={**os.environ}
            )
        line = self._process.stdout.readline() if self._process.stdout else ""
        if "(port " not in line:
            self.stop()
            raise RuntimeError(f"The stand-in did not start: {(self.folder / 'log').read_text()[-2000:]}")
        self.port = int(line.rsplit("(port ", 1)[1].split(")")[0])

    def stop(self) -> int | None:
        return self._end(signal.SIGTERM)

    def kill(self) -> None:
        """As the machine would: no warning, no goodbye."""
        self._end(signal.SIGKILL)

    def _end(self, number: signal.Signals) -> int | None:
        process, self._process = self._process, None
        if process is None:
            return None
        process.send_signal(number)
        try:
            return process.wait(timeout=_START_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()
        finally:
            if process.stdout:
                process.stdout.close()

    # The buyer

    def click(self, session_id: str, action: str, **fields: str) -> tuple[int, str | None, str]:
        """Posts the page's form: `pay`, `decline`, `require-authentication`, `authenticate`, `back`…

        Returns status, Location and body.
        """
        return self._request(
            "POST",
            f"/c/pay/{session_id}",
            urlencode({"action": action, **fields}),
            {"Content-Type": "application/x-www-form-urlencoded"},
        )

    def page(self, session_id: str) -> tuple[int, str | None, str]:
        return self._request("GET", f"/c/pay/{session_id}")

    def pay(self, session_id: str) -> str:
        """Clicks "Pay" and returns where the buyer is sent."""
        status, location, body = self.click(session_id, "pay")
        if status != http.client.SEE_OTHER or location is None:
            raise AssertionError(f"Paying {session_id} gave {status}: {body[:500]}")
        return location

    def pay_by_debit(self, session_id: str) -> str:
        """Clicks "Pay by bank debit" and returns where the buyer is sent; the bank's answer is `settle_debit`."""
        status, location, body = self.click(session_id, "pay-by-debit")
        if status != http.client.SEE_OTHER or location is None:
            raise AssertionError(f"Paying {session_id} by debit gave {status}: {body[:500]}")
        return location

    def settle_debit(self, session_id: str, *, succeeds: bool = True) -> None:
        """The bank has paid, or has not."""
        self.control("POST", f"sessions/{session_id}/settle-debit", succeeds=succeeds)

    # The control surface

    def control(self, method: str, path: str, **given: Any) -> dict[str, Any]:
        status, _, body = self._request(
            method, f"/_control/{path}", json.dumps(given), {"Content-Type": "application/json"}
        )
        answer: dict[str, Any] = json.loads(body)
        if status != http.client.OK:
            raise ValueError(answer["error"]["message"])
        return answer

    def fault(self, do: str, *, on: str = "*", times: int = 1, seconds: float = 1.0) -> None:
        self.control("POST", "faults", do=do, on=on, times=times, seconds=seconds)

    def webhooks(self, **settings: Any) -> None:
        self.control("POST", "webhooks", **settings)

    def lapse(self, session_id: str) -> None:
        """The session's time is up, now."""
        self.control("POST", f"sessions/{session_id}/lapse")

    def age(self, seconds: int) -> None:
        """Open sessions and idempotency keys are this much older."""
        self.control("POST", "age", seconds=seconds)

    # What happens at Stripe without the shop

    def charge_elsewhere(self, amount: int, **given: Any) -> dict[str, Any]:
        """A payment that no session was made for; amount in the smallest unit."""
        return self.control("POST", "charges", amount=amount, **given)

    def refund_in_dashboard(self, charge_id: str, **given: Any) -> dict[str, Any]:
        return self.control("POST", f"charges/{charge_id}/refund", **given)

    def settle_refund(self, refund_id: str, status: str) -> dict[str, Any]:
        """The bank's later word: succeeded, failed or canceled."""
        return self.control("POST", f"refunds/{refund_id}", status=status)

    def dispute(self, charge_id: str, **given: Any) -> dict[str, Any]:
        """`given`: any of amount, reason and status (needs_response, or warning_needs_response for an inquiry)."""
        return self.control("POST", f"charges/{charge_id}/dispute", **given)

    def change_dispute(self, dispute_id: str, status: str, **given: Any) -> dict[str, Any]:
        """`given`: `won`, what comes back of one that is lost, in the currency's smallest unit."""
        return self.control("POST", f"disputes/{dispute_id}", status=status, **given)

    def warn(self, charge_id: str, **given: Any) -> dict[str, Any]:
        """An early fraud warning."""
        return self.control("POST", f"charges/{charge_id}/warning", **given)

    def charges(self) -> list[dict[str, Any]]:
        """The successful ones, each with its `checkout_session`."""
        charges: list[dict[str, Any]] = self.control("GET", "charges")["charges"]
        return charges

    def requests(self, *, method: str = "", path: str = "") -> list[dict[str, Any]]:
        seen: list[dict[str, Any]] = self.control("GET", "requests")["requests"]
        return [each for each in seen if method in ("", each["method"]) and each["path"].startswith(path)]

    def reset(self) -> None:
        self.control("POST", "reset")

    def wait_for_webhooks(self, *, seconds: float = 120) -> None:
        """Until every event due has been delivered."""
        until = time.monotonic() + seconds
        while self.control("GET", "state")["undelivered"]:
            if time.monotonic() > until:
                raise TimeoutError(f"Webhooks still waiting: {self.control('GET', 'deliveries')}")
            time.sleep(0.02)

    def _request(
        self, method: str, path: str, body: str | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, str | None, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.getheader("Location"), answer.read().decode()
        finally:
            connection.close()
