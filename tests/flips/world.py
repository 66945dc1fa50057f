"""A small shop, one customer, one visitor, and everything that can happen between them, drawn by lot."""

import random
import re
from datetime import timedelta

from allauth.account.models import EmailAddress
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from accounts.consent import consent, purposes
from accounts.models import Interest
from accounts.preferences import interests
from accounts.preferences.cadence import CEILINGS
from notifications import audience, delivery, relay
from notifications.models import NewsletterIssue, OutgoingEmail
from notifications.topics import TOPICS
from orders.models import Order, OrderEvent
from recommendations import history, training
from shop import personal_data
from shop.catalog import listing
from shop.catalog.models import Product
from tests import builders
from tests.flips.judge import Judge
from tests.flips.oracle import BOUGHT, COUNTED, KEYS, LOOKED, TITLES, Oracle, VisitOracle
from tests.notifications import acts
from tests.notifications.sink import Sink
from tests.recommendations.test_training import buyers

# All of an order that somebody may tick news of: its stages in their order, then the rest.
STAGES = tuple(OrderEvent.Kind(topic.event) for topic in TOPICS.values() if topic.is_order_news and topic.purpose)
SHELVES = {"Anvil": "A", "Flagon": "A", "Easel": "E", "Hatchet": "E"}  # the others stand on one shelf
PAGES = (
    *("/", "/cart/", "/search/?q=anvil", "/account/", "/account/recommendations/"),
    *("/account/preferences/", "/account/told/", "/account/told/"),
)
VISITED = ("/", "/cart/", "/search/?q=anvil", "/account/preferences/")
STEPS = {
    "flip": 26, "master": 4, "cadence": 5, "ceiling": 1, "wait": 4, "tell": 2, "answer": 6, "forget": 5,
    "open": 20, "look": 14, "buy": 5, "happen": 6, "mail": 10, "letter": 4, "newsletter": 2, "train": 3,
    "withdraw": 5, "night": 2, "visit": 16, "visitor_answers": 6, "visitor_signs_in": 4,
}  # fmt: skip


class World:
    def __init__(self, seed: int, sink: Sink) -> None:
        self.lot, self.sink = random.Random(seed), sink
        self.told: list[str] = []  # what happened, for a failure to tell
        self.week = timezone.localtime()
        self._stock()
        self.customer = builders.customer("ann@example.com", name="Ann")
        user = self.customer.user
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
        self.client, self.visitor = Client(), Client()
        self.client.force_login(user)
        self.oracle, self.visits = Oracle(), VisitOracle()
        self.judge = Judge(self.customer, self.oracle)
        self.orders: list = []
        self.order("Anvil", "Easel", "Gaiters")
        self.tell()
        self.client.post("/cart/lines/", {"variant": self.variant("Candle").pk})

    def _stock(self) -> None:
        builders.shipping_method()
        for title in TITLES:
            sizes = ("M", "L") if title == "Gaiters" else ("",)
            maker = builders.maker("Mudlark" if title == "Dipper" else "Forge")
            category = builders.category(f"Shelf {SHELVES.get(title, 'X')}")
            builders.product(title, slug=title.lower(), sizes=sizes, on_hand=10**6, maker=maker, category=category)
        listing.refresh_listings()
        self.ids = dict(Product.objects.values_list("title", "pk"))
        buyers(4, self.variant("Anvil"), self.variant("Easel"))  # one short of five: the customer makes the pair
        self._stock_best_sellers()

    def _stock_best_sellers(self) -> None:
        """Enough for a letter to anybody, whatever they allow; and one that staff put together with gaiters."""
        for title in ("Kettle", "Ladle", "Mallet"):
            made = builders.product(title, on_hand=10**6, category=builders.category(f"Shelf {title}"))
            buyers(5, made.variants.get())
        Product.objects.get(title="Gaiters").goes_with.add(made)
        listing.refresh_listings()

    def tell(self) -> None:
        interests.save_interest(self.customer, Interest(kind=Interest.Kind.MAKER, maker=builders.maker("Mudlark")))
        interests.save_interest(self.customer, Interest(kind=Interest.Kind.SIZE, words="L"))
        self.oracle.is_told = True

    def variant(self, title: str):
        return Product.objects.get(title=title).variants.first()

    def order(self, *titles: str, is_gift: bool = False) -> None:
        made = builders.placed_order(*map(self.variant, titles), customer=self.customer, is_gift=is_gift)
        self.orders.append([made, 0, acts.parcel(made)])
        if not is_gift:
            self.oracle.bought.append((made.placed_at, frozenset(titles)))

    # -- Walking -------------------------------------------------------------------------------------------

    def walk(self, count: int, *, steps: tuple[str, ...] = tuple(STEPS)) -> None:
        names, weights = list(steps), [STEPS[name] for name in steps]
        for _ in range(count):
            self.step(self.lot.choices(names, weights)[0])

    def step(self, name: str, *args) -> None:
        self.told.append(" ".join([name, *map(str, args)]))
        self.oracle.now = timezone.now()
        try:
            getattr(self, name)(*args)
            self.judge.tables()
            self.judge.visit(self.visitor, self.visits, self.ids)
        except AssertionError as error:
            raise AssertionError(f"After {len(self.told)} steps, {', '.join(self.told[-12:])}: {error}") from error

    def _gpc(self) -> dict[str, str]:
        return {"Sec-GPC": "1"} if self.lot.random() < 0.12 else {}

    # -- The customer --------------------------------------------------------------------------------------

    def flip(self, key: str = "", *, granted: bool | None = None) -> None:
        key = key or self.lot.choice(KEYS)
        granted = self.lot.random() < 0.6 if granted is None else granted
        self.told[-1] += f" {key} {granted}"
        if self.lot.random() < 0.5:
            headers = {"HX-Request": "true", **self._gpc()}  # a tick with the note beside it is meant
            form = {key: "on"} if granted else {}
            answer = self.client.post(f"/account/preferences/{key}/", form, headers=headers)
            if granted or key in self.oracle.chosen:  # off again for what was never on is no answer
                self.oracle.answer(key, granted=granted)
            self._perhaps_undo(key, answer.text, granted=granted)
        else:
            consent.set_consent(self.customer, key, granted=granted, source="test")
            self.oracle.answer(key, granted=granted)

    def _perhaps_undo(self, key: str, page: str, *, granted: bool) -> None:
        token = re.search(r'name="undo" value="([^"]+)"', page)
        if token and self.lot.random() < 0.2:
            self.told[-1] += " undone"
            self.oracle.now = timezone.now()
            self.client.post("/account/undo/", {"undo": token[1]})
            self.oracle.answer(key, granted=not granted)

    def cadence(self) -> None:
        """How often one mail comes; or “less often”, which turns it on."""
        key = self.lot.choice([each.key for each in purposes.PURPOSES if each.cadences])
        wanted = self.lot.choice(purposes.get_purpose(key).cadences).value
        self.told[-1] += f" {key} {wanted}"
        if self.lot.random() < 0.8:
            self.client.post(f"/account/preferences/{key}/often/", {f"cadence-{key}": wanted})
        elif self.client.post(f"/account/preferences/{key}/less/", {"less": wanted}).status_code < 400:
            self.oracle.answer(key, granted=True)

    def ceiling(self) -> None:
        self.client.post("/account/weekly-ceiling/", {"weekly_ceiling": self.lot.choice(["", *map(str, CEILINGS)])})

    def master(self, on: bool | None = None) -> None:
        on = self.lot.random() < 0.7 if on is None else on
        self.client.post("/account/personal-shopper/", {"answer": "on" if on else "off"})
        self.oracle.turn_master(on=on)

    def answer(self) -> None:
        """To a question put in its place, perhaps an old one."""
        key = self.lot.choice((LOOKED, BOUGHT, COUNTED, purposes.MAIL_ORDER_DISPATCHED))
        is_yes, headers = self.lot.random() < 0.5, self._gpc()
        self.client.post(f"/asks/{key}/", {"answer": "yes" if is_yes else "no"}, headers=headers)
        if not is_yes:
            self.oracle.declined.add(key)
            if self.oracle.allows(key):
                self.oracle.answer(key, granted=False)
        elif not (headers and key == COUNTED):
            self.oracle.answer(key, granted=True)

    def forget(self, key: str = "") -> None:
        key = key or self.lot.choice(sorted(personal_data.get_wordings()))
        self.client.post(f"/account/preferences/{key}/forgetting/")
        self.oracle.forget(key)

    def open(self, path: str = "") -> None:
        order = self.lot.choice(self.orders)[0]
        path = path or self.lot.choice((*PAGES, order.get_absolute_url()))
        headers = self._gpc()
        answer = self.client.get(path, headers=headers)
        assert answer.status_code == 200, path
        self.judge.page(answer.text, is_gpc=bool(headers))

    def look(self, title: str = "") -> None:
        title, headers = title or self.lot.choice(TITLES), self._gpc()
        answer = self.client.get(f"/product/{title.lower()}/", headers=headers)
        if self.oracle.allows(LOOKED):
            self.oracle.seen.add(title)
        self.judge.page(answer.text, is_gpc=bool(headers))

    def buy(self) -> None:
        self.order(*self.lot.sample(TITLES, 2), is_gift=self.lot.random() < 0.3)

    # -- The shop's own jobs -------------------------------------------------------------------------------

    def happen(self) -> None:
        """The next thing happens to an order."""
        place = self.lot.choice(self.orders)
        if place[1] < len(STAGES):
            acts.happened(place[0], STAGES[place[1]], shipment=place[2])
            place[1] += 1
        if place[1] == len(STAGES):
            relay.relay_all_events()  # nobody is reminded of what has come
            self.judge.tables()
            self.deliver()
            Order.objects.filter(pk=place[0].pk).update(fulfilment_status=Order.FulfilmentStatus.DELIVERED)
            self.oracle.delivered.add(place[0].placed_at)

    def mail(self) -> None:
        if self.lot.random() < 0.7:
            relay.relay_all_events()
            self.judge.tables()
        if self.lot.random() < 0.7:
            self.deliver()

    def deliver(self) -> None:
        before = len(self.sink.received)
        delivery.deliver_due_mail()
        for received in self.sink.received[before:]:
            if received.to == self.customer.email:
                self.judge.mail(received)

    def wait(self) -> None:
        """Digests, and what a ceiling held back, have their day."""
        OutgoingEmail.objects.filter(state=OutgoingEmail.State.QUEUED).update(due_at=timezone.now())
        self.deliver()

    def letter(self) -> None:
        self.week += timedelta(days=7)
        audience.queue_weekly_recommendations(self.week)

    def newsletter(self) -> None:
        NewsletterIssue.objects.create(subject="News", body="Good day.", released_at=timezone.now())
        audience.fan_out_released_issues()

    def train(self) -> None:
        training.train_epoch()
        self.judge.published()

    def withdraw(self) -> None:
        training.rebuild_without_withdrawn()
        self.judge.published()

    def night(self) -> None:
        history.retire_views()
        if not self.oracle.allows(LOOKED):
            self.oracle.seen.clear()

    # -- The visitor ---------------------------------------------------------------------------------------

    def visit(self, path: str = "") -> None:
        product_path = f"/product/{self.lot.choice(TITLES).lower()}/"
        path = path or (product_path if self.lot.random() < 0.6 else self.lot.choice(VISITED))
        title, headers = path.split("/")[2].title() if path.startswith("/product/") else "", self._gpc()
        answer = self.visitor.get(path, headers=headers)
        if title and self.visits.titles is not None:
            if headers:
                self.visits.titles = None  # the browser has begun to say no
            else:
                self.visits.titles.add(title)
        self.judge.visitors_page(answer.text, self.visits, is_gpc=bool(headers))

    def visitor_answers(self, is_yes: bool | None = None) -> None:
        is_yes, headers = self.lot.random() < 0.7 if is_yes is None else is_yes, self._gpc()
        if self.lot.random() < 0.5:
            self.visitor.post("/asks/visitor_history/", {"answer": "yes" if is_yes else "no"}, headers=headers)
            self.visits.is_answered |= not is_yes
        else:
            self.visitor.post("/visitors/history/", {"visitor_history": "on"} if is_yes else {}, headers=headers)
        if not is_yes:
            self.visits.titles = None
        elif not headers and self.visits.titles is None:
            self.visits.titles = set()

    def visitor_signs_in(self) -> None:
        """As the customer, with or without the tick; then out again, and the next visitor comes."""
        cache.clear()  # nobody signs in as often as this
        form = {"login": self.customer.email, "password": builders.PASSWORD}
        is_ticked = self.lot.random() < 0.6
        self.visitor.post("/accounts/login/", form | ({"bring_along": "on"} if is_ticked else {}))
        if is_ticked and self.oracle.allows(LOOKED):
            self.oracle.seen |= self.visits.titles or set()
        self.visits = VisitOracle()
        self.judge.visit(self.visitor, self.visits, self.ids)
        self.visitor = Client()
