"""Looks at pages, mails and tables after every step, and finds whatever was used without a yes at that moment."""

import re
from collections import Counter
from collections.abc import Callable

from django.db.models import Max

from accounts.consent import consent, purposes
from accounts.consent.uses import PurposeUse, UseKind
from accounts.models import Customer, Interest
from notifications.models import OutgoingEmail, OutgoingItem
from notifications.topics import TOPICS
from recommendations import visitors
from recommendations.models import Contribution, Effect, ProductSimilarity, ProductView
from recommendations.picks import FOR_YOU, SHELVES
from shop import personal_data
from tests.flips.oracle import BOUGHT, COUNTED, GUESSED, LOOKED, TITLES, TOLD, Oracle, VisitOracle
from tests.notifications.sink import Received

VISIT = purposes.VISITOR_HISTORY.key
OWN_SHELVES = {shelf.title: shelf for shelf in SHELVES.values() if shelf.is_personal}
EFFECTS = "recommendations.explanations"
_BOUGHT = re.compile(r"(?:Goes with|From the same shelf as) (\w+), which you bought in")
_SEEN = re.compile(r"You looked at (\w+)")
_TOLD = re.compile(r"You told us you (?:like|look)|Comes in \w+, the size you told us")
_SHELF = re.compile(r'<section\s+aria-label="([^"]+)"[^>]*>(.*?)</section>', re.DOTALL)
_WHY = re.compile(r'<span class="why">([^<]*)')
_GUESSED = re.compile(r"You kept (\w+), ")
_ASKED = re.compile(r'<p id="ask"><strong>(.*?)</strong>')
_KEYS_BY_TITLE = {purposes.get_purpose(key).title: key for key in (*(each.key for each in purposes.PURPOSES), VISIT)}


class Judge:
    """`witnessed` counts what was seen to be used with a yes, so that a test can tell that it looked at something."""

    def __init__(self, customer: Customer, oracle: Oracle) -> None:
        self.customer, self.oracle = customer, oracle
        self.witnessed: Counter[PurposeUse] = Counter()
        self.note_counts: Counter[str] = Counter()
        self.last_effect = self.last_item = 0
        self.told_used_at = None

    def _saw(self, purpose: str, kind: UseKind, name: str) -> None:
        self.witnessed[PurposeUse(purpose, kind, name)] += 1

    # -- Pages and mails -----------------------------------------------------------------------------------

    def page(self, text: str, *, is_gpc: bool) -> None:
        """A page as the customer sees it."""
        self._shelves(text, self.oracle.allows, self.oracle.usable)
        self._reasons(text, name=FOR_YOU.title, kind=UseKind.SHELF)
        if "is chosen because" in text:
            assert self.oracle.allows(TOLD), "a size was used"
            assert self.oracle.is_told, "a size was used that was taken back"
            self._saw(TOLD, UseKind.SHELF, "the size chosen on a product page")
        for title in _GUESSED.findall(text):
            assert self.oracle.allows(GUESSED), "a size was guessed"
            assert title in self.oracle.kept(), f"{title}: a gift, forgotten, or not there yet"
            assert not self.oracle.is_told, "a size was guessed where one is told"
            self._saw(GUESSED, UseKind.SHELF, "the sizes guessed on “What I told you”")
        if "Often bought with" in text:
            assert self.oracle.is_counted, "a pair rests on somebody who is not counted in"
            self._saw(COUNTED, UseKind.COUNT, "recommendations.training")
        for title in _ASKED.findall(text):
            key = _KEYS_BY_TITLE[title]
            assert key not in self.oracle.answered | self.oracle.declined, f"asked again: {key}"
            assert self.oracle.master, "asked while all of it is off"
            assert not (is_gpc and key == COUNTED), "asked against the browser"

    def _shelves(self, text: str, allows: Callable[[str], bool], usable: Callable[[str], set[str]]) -> None:
        """Each shelf of the reader's own stands on a yes. One with a single switch names what that may use alone."""
        for title, body in _SHELF.findall(text):
            shelf = OWN_SHELVES.get(title)
            if shelf is None:
                continue
            assert any(map(allows, shelf.purposes)), f"without a yes: {title}"
            if len(shelf.purposes) == 1:
                [key] = shelf.purposes
                named = set(re.findall(r"\w+", " ".join(_WHY.findall(body)))).intersection(TITLES)
                assert named <= usable(key), f"{title} names what it may not use: {named}"
                self._saw(key, UseKind.SHELF, title)

    def _reasons(self, text: str, *, name: str, kind: UseKind) -> None:
        for title in _BOUGHT.findall(text):
            assert self.oracle.allows(BOUGHT), "purchases were used"
            assert title in self.oracle.usable(BOUGHT), f"{title}: a gift, or forgotten"
            self._saw(BOUGHT, kind, name)
        for title in _SEEN.findall(text):
            assert self.oracle.allows(LOOKED), "looks were used"
            assert title in self.oracle.seen, f"{title} was not looked at while that was on"
            self._saw(LOOKED, kind, name)
        if _TOLD.search(text):
            assert self.oracle.allows(TOLD), "what was told was used"
            assert self.oracle.is_told, "what was told and taken back was used"
            self._saw(TOLD, kind, name)

    def visitors_page(self, text: str, visit: VisitOracle, *, is_gpc: bool) -> None:
        assert not _BOUGHT.search(text), "a stranger sees purchases"
        assert not _TOLD.search(text), "a stranger sees what was told"
        self._shelves(text, lambda key: key == VISIT and visit.titles is not None, lambda _: visit.titles or set())
        for title in _SEEN.findall(text):
            assert visit.titles is not None, "a visit was used"
            assert not is_gpc, "a visit was used against the browser"
            assert title in visit.titles
        for title in _ASKED.findall(text):
            assert _KEYS_BY_TITLE[title] == VISIT
            assert not is_gpc
            assert visit.titles is None
            assert not visit.is_answered, "asked again"

    def mail(self, received: Received) -> None:
        """A mail at the moment it arrives."""
        topic = TOPICS[received.topic]
        email = OutgoingEmail.objects.get(pk=received.message_id.strip("<>").split("@")[0])
        if topic.purpose:
            self._stands(topic.purpose, email.created_at)
            self._saw(topic.purpose, UseKind.MAIL, topic.key)
        for item in email.items.filter(is_dropped=False, is_essential=False):
            self._stands(item.purpose, item.stands_since_at)
            if item.block == "offer":
                self._saw(item.purpose, UseKind.MAIL, f"{topic.key}, its offer")
        self._reasons(received.text, name=topic.key, kind=UseKind.MAIL)

    def _stands(self, purpose: str, queued_at) -> None:
        assert self.oracle.allows(purpose), f"mail without a yes: {purpose}"
        assert queued_at >= self.oracle.since[purpose], f"a later yes released what was queued before: {purpose}"

    # -- Tables --------------------------------------------------------------------------------------------

    def tables(self) -> None:
        assert consent.get_granted_purposes(self.customer) - {"personal_shopper"} == self.oracle.allowed()
        views = set(ProductView.objects.filter(customer=self.customer).values_list("product__title", flat=True))
        assert views == self.oracle.seen, "the notes of what was looked at"
        self._notes()
        self._effects()
        self._queue()

    def _notes(self) -> None:
        """What is noted with a purpose's yes alone grows only while that stands."""
        for holding in personal_data.get_holdings():
            if holding.noted_for:
                count = holding.held(self.customer)[holding.noted_for]
                if count > self.note_counts[holding.key]:
                    assert self.oracle.allows(holding.noted_for), f"noted without a yes: {holding.key}"
                    self._saw(holding.noted_for, UseKind.RECORDER, holding.key)
                self.note_counts[holding.key] = count

    def _effects(self) -> None:
        for effect in Effect.objects.filter(customer=self.customer, pk__gt=self.last_effect).order_by("pk"):
            purpose = TOLD if effect.interest_id else BOUGHT if effect.line_id else LOOKED
            assert self.oracle.allows(purpose), f"an effect was noted: {purpose}"
            self._saw(purpose, UseKind.RECORDER, EFFECTS)
            self.last_effect = effect.pk
        used_at = Interest.objects.filter(customer=self.customer).aggregate(at=Max("last_used_at"))["at"]
        assert used_at in (None, self.told_used_at) or self.oracle.allows(TOLD), "a use was noted"
        self.told_used_at = used_at

    def _queue(self) -> None:
        """Nothing is put into the queue on a yes that does not stand."""
        fresh = OutgoingItem.objects.filter(pk__gt=self.last_item, email__customer=self.customer)
        for pk, purpose, is_dropped in fresh.order_by("pk").values_list("pk", "purpose", "is_dropped"):
            assert is_dropped or not purpose or self.oracle.allows(purpose), f"queued without a yes: {purpose}"
            self.last_item = pk

    def published(self) -> None:
        """After a training or a withdrawal: the counts hold the customer only with a yes, and nothing forgotten."""
        counted = Contribution.objects.filter(customer=self.customer)
        assert self.oracle.allows(COUNTED) or not counted.exists(), "counted without a yes"
        titles = set(counted.values_list("product__title", flat=True))
        assert titles <= self.oracle.usable(COUNTED), "counted a gift, or what is forgotten"
        self.oracle.is_counted = bool(titles)
        if not titles:
            assert not ProductSimilarity.objects.exists(), "a pair of four is published"

    def visit(self, client, visit: VisitOracle, ids: dict[str, int]) -> None:
        kept = client.session.get(visitors.SESSION_KEY)
        if visit.titles is None:
            assert kept is None, "a visit is kept without its tick"
            return
        assert {view[0] for view in kept["views"]} == {ids[title] for title in visit.titles}
        if kept["views"]:
            self._saw(VISIT, UseKind.RECORDER, "recommendations.visitors")
