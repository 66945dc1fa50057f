"""How long tests wait for what somebody else does: seconds of a quiet machine, and more of a busy one."""

import os
import time
from collections.abc import Callable
from contextlib import suppress

PATIENCE_SECONDS = 120  # for whatever is only waited for, where no promise names a time


def stretched(seconds: float) -> float:
    """So many seconds on a quiet machine; on one with more at work than it has cores, as many times longer."""
    return seconds * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def wait_until(happens: Callable[[], object], what: str, *, seconds: float = PATIENCE_SECONDS) -> None:
    """Asks again and again. An `OSError` is a no: what is asked may not be there yet."""
    begun = time.monotonic()
    while True:
        with suppress(OSError):
            if happens():
                return
        waited = time.monotonic() - begun
        if waited > stretched(seconds):
            raise AssertionError(f"waited {waited:.0f} s in vain: {what}")
        time.sleep(0.02)
