"""Many people buying at once from a shop that keeps falling over. They do what people do: wait a moment, try again."""

import http.client
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.journeys.walks import ADDRESS, TOPIC_OF
from tests.patience import stretched
from tests.person import HttpRoad, Person

PATIENCE_SECONDS = 90
MOMENT_SECONDS = 0.3


class Fed(Exception):  # noqa: N818
    """Tried for too long; nobody would go on."""


@dataclass
class Buyer:
    """One visit. `leaves_unpaid`, `closes_browser` and `cancels` are how some visits end."""

    number: int
    site: str
    goods: list[str]
    ticks: tuple[str, ...] = ()
    leaves_unpaid: bool = False
    closes_browser: bool = False
    cancels: bool = False
    has_paid: bool = False
    is_refused: bool = False  # told politely that it has sold out
    was_told_cancelled: bool = False
    order_number: str = ""
    complaints: list[str] = field(default_factory=list)  # pages that must never be seen
    trouble: str = ""

    def __post_init__(self) -> None:
        self.email = f"buyer-{self.number}@example.com"
        self.person = Person(site=self.site, road=HttpRoad(), away=HttpRoad())
        self._ends_at = 0.0

    def visit(self) -> None:
        self._ends_at = time.monotonic() + stretched(PATIENCE_SECONDS)
        try:
            self._shop()
        except Exception as error:  # noqa: BLE001  (a thread's troubles are told by the test)
            self.trouble = f"{type(error).__name__}: {error}"[:500]

    def _shop(self) -> None:
        for slug in self.goods:
            self._until_done(lambda slug=slug: self._add(slug))
        back = ""
        while not back:
            self._until_done(self._go_to_payment)
            if self.is_refused or self.leaves_unpaid:
                return
            back = self._until_done(self._pay)
        if not self.closes_browser:
            self._until_done(lambda: self._see(self.person.open(back)))
            assert self.person.path == f"/orders/{self.order_number}/", self.person.url
        if self.cancels and not self.closes_browser:
            self._until_done(self._cancel)

    def _add(self, slug: str) -> None:
        self._see(self.person.open(f"{self.site}/product/{slug}/"))
        self._see(self.person.press("Add to cart"))

    def _go_to_payment(self) -> None:
        self._see(self.person.open(f"{self.site}/checkout/"))
        person = self.person.write("E-mail", self.email).fill(**ADDRESS).tick(*self.ticks)
        self._see(person.press("Continue to payment"))
        if person.status == 409:
            self.is_refused = True
            return
        assert not person.is_at_shop, f"{person.url} {person.status}: {person.words[:300]}"

    def _pay(self) -> str:
        """Where the payment page sends them next; nowhere when it had been open for too long."""
        answer = self.person.send("POST", self.person.url.split("?")[0], [("action", "pay")])
        if answer.status == 200 and "expired" in answer.text:
            return ""
        assert answer.status == 303, f"{answer.status}: {answer.text[:300]}"
        self.has_paid = True
        back = answer.headers["location"]
        self.order_number = back.split("/orders/")[1].split("/")[0]
        return back

    def _cancel(self) -> None:
        self._see(self.person.open(f"{self.site}/orders/{self.order_number}/"))
        if self.person.has_button("Cancel this order"):
            self._see(self.person.press("Cancel this order"))
        if "We are waiting" in self.person.words:
            raise OSError("not confirmed yet")
        self.was_told_cancelled = "Cancelled" in self.person.words  # or it had left already

    def _see(self, person: Person) -> None:
        if person.status == 503:
            raise OSError("closed for a moment")
        if person.status >= 500:
            self.complaints.append(f"{person.status} at {person.url}: {person.words[:200]}")
            raise OSError("it broke")
        if person.status not in (200, 409):
            raise OSError(f"{person.status} at {person.url}")

    def _until_done(self, step: Callable[[], object]) -> str:
        while True:
            try:
                return str(step())
            except (OSError, http.client.HTTPException) as error:
                if time.monotonic() > self._ends_at:
                    raise Fed(f"{type(error).__name__}: {error}") from error
                time.sleep(MOMENT_SECONDS)


def crowd(count: int, site: str, goods: list[str], luck: random.Random) -> list[Buyer]:
    return [
        Buyer(
            number=number,
            site=site,
            goods=luck.sample(goods, luck.choice([1, 1, 2])),
            ticks=tuple(title for title in TOPIC_OF if luck.random() < 0.4),
            leaves_unpaid=number % 12 == 5,
            closes_browser=number % 5 == 2,
            cancels=number % 7 == 3,
        )
        for number in range(count)
    ]


def let_in(buyers: list[Buyer], *, at_once: int, after_each: Callable[[], object] = lambda: None) -> None:
    """Until the last has left. `at_once` is how many are in the shop at a time."""
    queue = iter(buyers)
    lock = threading.Lock()

    def door() -> None:
        while True:
            with lock:
                buyer = next(queue, None)
            if buyer is None:
                return
            buyer.visit()
            after_each()

    doors = [threading.Thread(target=door, name=f"door {number}") for number in range(at_once)]
    for each in doors:
        each.start()
    for each in doors:
        each.join()
