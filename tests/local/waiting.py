"""Waiting for something another process does."""

import socket
import time
from collections.abc import Callable


def wait_until(happens: Callable[[], bool], what: str, *, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if happens():
                return
        except OSError:
            pass
        time.sleep(0.05)
    raise AssertionError(f"waited {seconds} s in vain: {what}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
