"""The stand-in as a process under a test's hand."""

import http.client
import json
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from shop.local.home import CHECKOUT

START_SECONDS = 60


def steer_stand_in(port: int, what: str, **told: Any) -> Any:
    """One of `/_control/`: parcels, life, scan, advance, webhooks, requests, labels, deliveries."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=START_SECONDS)
    try:
        connection.request("POST", f"/_control/{what}", json.dumps(told), {"Content-Type": "application/json"})
        return json.load(connection.getresponse())["answer"]
    finally:
        connection.close()


class CarrierStandIn:
    """`pace`: seconds between two scans; large, so that a test says when something happens (`advance`)."""

    def __init__(self, folder: Path, *, webhook_url: str, webhook_secret: str, api_key: str, pace: float = 1e6) -> None:
        posting = ["--webhook-url", webhook_url, "--webhook-secret", webhook_secret]
        self._arguments = ["--data", str(folder), *posting, "--api-key", api_key, "--pace", str(pace)]
        self._process: subprocess.Popen[str] | None = None
        self.port = 0

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "shop.local.carrier", "--port", str(self.port), *self._arguments]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=CHECKOUT)
        line = self._process.stdout.readline() if self._process.stdout else ""
        if "(port " not in line:
            raise RuntimeError("The carrier stand-in did not start.")
        self.port = int(line.rsplit("(port ", 1)[1].split(")")[0])
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=START_SECONDS)
            if self._process.stdout:
                self._process.stdout.close()

    @property
    def url(self) -> str:
        """For EASYPOST_API_BASE."""
        return f"http://127.0.0.1:{self.port}"

    def steer(self, what: str, **told: Any) -> Any:
        return steer_stand_in(self.port, what, **told)
