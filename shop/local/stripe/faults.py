"""Trouble on request: what an API can do to its callers. Set through ``/_control/faults``."""

import threading
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from typing import Any

# refuse      500 before anything is done
# hang        waits, then answers as if nothing had been
# hang_after  does it, then waits, then answers
# lose        does it and saves the answer, but says 500: the same idempotency key finds the true answer
# fail_after  does it and saves the 500: the same idempotency key finds the 500 again
# drop        cuts the connection before anything is done
# vanish      does it, then cuts the connection before any answer
# cut         does it, then cuts the connection in the middle of the answer
# limit       429
FAULT_KINDS = ("refuse", "hang", "hang_after", "lose", "fail_after", "drop", "vanish", "cut", "limit")


@dataclass
class Fault:
    do: str
    on: str = "*"  # "POST /v1/refunds", "* /v1/checkout/sessions*"
    times: int = 1
    seconds: float = 1.0


@dataclass
class FaultQueue:
    _waiting: list[Fault] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._waiting.append(fault)

    def clear(self) -> None:
        with self._lock:
            self._waiting.clear()

    def listed(self) -> list[dict[str, Any]]:
        with self._lock:
            return [asdict(fault) for fault in self._waiting]

    def take(self, method: str, path: str) -> Fault | None:
        """The first that fits, used up by one."""
        with self._lock:
            for fault in self._waiting:
                if fnmatchcase(f"{method} {path}", fault.on):
                    fault.times -= 1
                    if fault.times <= 0:
                        self._waiting.remove(fault)
                    return fault
        return None
