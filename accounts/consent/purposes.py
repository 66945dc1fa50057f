"""The registry of purposes: every personal feature of the shop, in the words the customer reads.

Checkboxes, the privacy page, the ledger and the mail gate all come from here. Change a sentence and raise its
`wording_version`; consents remember the version they answered.
"""

import hashlib
from dataclasses import dataclass
from enum import StrEnum

from shop.periods import Period

LOOKS_RETENTION = Period(days=30)  # of what somebody looked at, and of what a datum did for its customer


class PurposeGroup(StrEnum):
    """The parts of the page of switches, in its order."""

    ORDERS = "News of your orders"
    PAGES = "On the shop's pages"
    MAIL = "By mail"
    OTHERS = "With others"


class MailKind(StrEnum):
    ESSENTIAL = "essential"
    SERVICE = "service"
    PROMOTIONAL = "promotional"


class Cadence(StrEnum):
    """How often a mail may come, the most often first. Never is the switch turned off."""

    AS_IT_HAPPENS = "as_it_happens"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


@dataclass(frozen=True)
class Purpose:
    """One switch. `explanation` says how it works, `reads` which data it reads, `gives` what the customer gets.

    `cadences`: how often its mail may come, as the customer likes; the first holds until they choose. Empty: no choice.
    `data`: the pages where the customer can look at what it reads, as (words, name of the URL).
    """

    key: str
    title: str
    explanation: str
    reads: str
    gives: str
    group: PurposeGroup
    wording_version: int = 1
    is_service: bool = False  # news of orders: guests tick it for that one, and the master switch leaves it alone
    cadences: tuple[Cadence, ...] = ()
    each: str = "As it happens"  # what AS_IT_HAPPENS is called for this mail
    data: tuple[tuple[str, str], ...] = ()

    @property
    def wording(self) -> str:
        return "\n".join((self.title, self.explanation, self.reads, self.gives))

    @property
    def wording_hash(self) -> str:
        return hashlib.sha256(self.wording.encode()).hexdigest()


MAIL_ORDER_APPROVED = "mail_order_approved"
MAIL_ORDER_PICKED = "mail_order_picked"
MAIL_ORDER_PACKED = "mail_order_packed"
MAIL_ORDER_READY = "mail_order_ready"
MAIL_ORDER_DISPATCHED = "mail_order_dispatched"
MAIL_ORDER_OUT_FOR_DELIVERY = "mail_order_out_for_delivery"
MAIL_ORDER_TROUBLE = "mail_order_trouble"
MAIL_ORDER_DELIVERED = "mail_order_delivered"
MAIL_ORDER_RETURN = "mail_order_return"
RECEIPT_OFFER = "receipt_offer"
RECOMMEND_FROM_TOLD = "recommend_from_told"
RECOMMEND_FROM_PURCHASES = "recommend_from_purchases"
RECOMMEND_FROM_BROWSING = "recommend_from_browsing"
GUESS_SIZES = "guess_sizes"
COUNT_IN_ALSO_BOUGHT = "count_in_also_bought"
MAIL_RECOMMENDATIONS = "mail_recommendations"
NEWSLETTER = "newsletter"

ANY_CADENCE = tuple(Cadence)
_ORDERS_LINK = (("See your orders", "account_orders"),)
_INTERESTS_LINK = (("See what you told us", "told"),)
_OWN_DATA_LINK = (("See what we noted", "own_data"),)
_ADDRESS_LINK = (("See your address", "account_email"),)
_SUGGESTIONS_LINK = (("See your suggestions", "recommendations"),)
_READS_ORDER = "The order itself and the address you gave for it."

# The master switch. Not one of PURPOSES: it uses nothing by itself, and it is on until somebody turns it off.
PERSONAL_SHOPPER = Purpose(
    key="personal_shopper",
    title="The whole personal shopper",
    explanation="Turn it off and every switch below rests at once, but for news of your orders. "
    "Turn it on again and each is as you left it.",
    reads="Nothing by itself.",
    gives="One switch for all of it. Your single choices are kept.",
    group=PurposeGroup.PAGES,
)

# A visitor's one switch. It has no ledger: the answer is the visit's own, and goes with it.
VISITOR_HISTORY = Purpose(
    key="visitor_history",
    title=f"Suggestions from what I looked at, for {LOOKS_RETENTION}, in this browser",
    explanation="We note which products you open in this browser while this is on. "
    f"After {LOOKS_RETENTION} all of it is gone. "
    "It never joins an account unless you say so.",
    reads="Product pages you open in this browser while you are not logged in.",
    gives="A shelf on the front page that follows what you looked at.",
    group=PurposeGroup.PAGES,
)

PURPOSES: tuple[Purpose, ...] = (
    Purpose(
        key=RECOMMEND_FROM_TOLD,
        title="Suggestions from what I told you",
        explanation="Things that match what you told us come first, and each says which of your words brought it. "
        "Your size is chosen for you where we have it.",
        reads="The makers, departments, needs and sizes on your page “What I told you”.",
        gives="A “For you” shelf that begins with what you asked for.",
        group=PurposeGroup.PAGES,
        data=_INTERESTS_LINK,
    ),
    Purpose(
        key=RECOMMEND_FROM_PURCHASES,
        title="Suggestions from what I bought",
        explanation="We find what goes with the things you kept. Each suggestion says which purchase it came from.",
        reads="Your orders, never gifts.",
        gives="A “For you” shelf, with a reason on each thing.",
        group=PurposeGroup.PAGES,
        data=_ORDERS_LINK,
    ),
    Purpose(
        key=RECOMMEND_FROM_BROWSING,
        title="Suggestions from what I looked at",
        explanation=f"We note which products you open while this is on, for {LOOKS_RETENTION}, and suggest things like "
        "them.",
        reads="Product pages you open while you are logged in.",
        gives="A “For you” shelf that follows what you are looking for now.",
        group=PurposeGroup.PAGES,
        data=_OWN_DATA_LINK,
    ),
    Purpose(
        key=GUESS_SIZES,
        title="Guess my size from what I kept",
        explanation="We look at the sizes of what you bought and kept, and ask you whether they are yours. "
        "Nothing follows a guess until you say yes to it.",
        reads="The things in your delivered orders that come in sizes (name, size, colour and day), and the sizes you "
        "told us. Never gifts, never what we gave money back for.",
        gives="A question beside “Your sizes” on the page “What I told you”, so that you need not type them.",
        group=PurposeGroup.PAGES,
        data=(*_ORDERS_LINK, ("See what we guess", "told")),
    ),
    Purpose(
        key=MAIL_ORDER_APPROVED,
        title="Tell me when my order is approved",
        explanation="One e-mail when we have checked your order and started on it.",
        reads=_READS_ORDER,
        gives="You know it is in hand.",
        group=PurposeGroup.ORDERS,
        is_service=True,
        cadences=ANY_CADENCE,
        data=_ORDERS_LINK,
    ),
    Purpose(
        key=MAIL_ORDER_PICKED,
        title="Tell me when my order is picked",
        explanation="One e-mail when everything is off the shelf and on the packing bench.",
        reads=_READS_ORDER,
        gives="You know nothing is missing.",
        group=PurposeGroup.ORDERS,
        is_service=True,
        cadences=ANY_CADENCE,
        data=_ORDERS_LINK,
    ),
    Purpose(
        key=MAIL_ORDER_PACKED,
        title="Tell me when my order is packed",
        explanation="One e-mail when the parcel is closed, with the packer's note if there is one.",
        reads=_READS_ORDER,
        gives="You know it leaves with the next truck.",
        group=PurposeGroup.ORDERS,
        is_service=True,
        cadences=ANY_CADENCE,
        data=_ORDERS_LINK,
    ),
    Purpose(
        key=MAIL_ORDER_READY,
        title="Tell me when my order is ready to collect",
        explanation="One e-mail when it lies ready in the store you chose, one more if it is left there.",
        reads=_READS_ORDER,
        gives="You know that you can come, and until when the store is open.",
        group=PurposeGroup.ORDERS,
        is_service=True,
        cadences=ANY_CADENCE,
        data=_ORDERS_LINK,
    ),
    Purpose(
        key=MAIL_ORDER_DISPATCHED,
        title="Tell me when my order leaves",
        explanation="One e-mail when the parcel is on the truck, with its tracking number if it has one.",
        reads=_READS_ORDER,
        gives="A link to follow the parcel if it has a number, and the day to expect it.",
        group=PurposeGroup.ORDERS,
        wording_version=3,
        is_service=True,
        cadences=ANY_CADENCE,
        data=_ORDERS_LINK,
    ),
    Purpose(
        key=MAIL_ORDER_OUT_FOR_DELIVERY,
        title="Tell me when my order is out for delivery",
        explanation="One e-mail on the day the driver has your parcel, where the carrier tells us so.",
        reads=_READS_ORDER,
        gives="You know to be at home.",
        group=PurposeGroup.ORDERS,
        is_service=True,
        cadences=ANY_CADENCE,
        data=_ORDERS_LINK,
    ),
    Purpose(
        key=MAIL_ORDER_TROUBLE,
        title="Tell me when a delivery goes wrong",
        explanation="One e-mail when the carrier could not hand it over, cannot, or brings it back to us.",
        reads=_READS_ORDER,
        gives="You know what to do, or that we look after it.",
        group=PurposeGroup.ORDERS,
        is_service=True,
        cadences=ANY_CADENCE,
        data=_ORDERS_LINK,
    ),
    Purpose(
        key=MAIL_ORDER_DELIVERED,
        title="Tell me when my order is delivered",
        explanation="One e-mail when the parcel is at your door.",
        reads=_READS_ORDER,
        gives="You know to look outside.",
        group=PurposeGroup.ORDERS,
        is_service=True,
        cadences=ANY_CADENCE,
        data=_ORDERS_LINK,
    ),
    Purpose(
        key=MAIL_ORDER_RETURN,
        title="Tell me how a return goes",
        explanation="An e-mail when you send something back, when it is here, and when it is done. "
        "That money was paid back we always write.",
        reads="The order, what you send back, and the address you gave for it.",
        gives="The number for the parcel, and what became of it.",
        group=PurposeGroup.ORDERS,
        is_service=True,
        cadences=ANY_CADENCE,
        data=_ORDERS_LINK,
    ),
    Purpose(
        key=RECEIPT_OFFER,
        title="One offer on my receipt",
        explanation="Your receipt may carry one thing that goes with what you bought. The receipt itself always comes.",
        reads="The things in that order.",
        gives="One suggestion, picked for that order, on the receipt.",
        group=PurposeGroup.MAIL,
        data=_ORDERS_LINK,
    ),
    Purpose(
        key=MAIL_RECOMMENDATIONS,
        title="A weekly letter of suggestions",
        explanation="Once a week, a few things picked for you, each with its reason. In a week with fewer than three "
        "worth sending, no letter comes. Leave with one click.",
        reads="What the suggestion switches above allow; where those bring too little, and without them, only what "
        "sells well.",
        gives="At most one e-mail a week, never with fewer than three things in it.",
        group=PurposeGroup.MAIL,
        wording_version=2,
        cadences=(Cadence.WEEKLY, Cadence.MONTHLY),
        data=_SUGGESTIONS_LINK,
    ),
    Purpose(
        key=NEWSLETTER,
        title="The newsletter",
        explanation="News of the shop, the same for everybody who asked for it. Leave with one click.",
        reads="Your e-mail address.",
        gives="Now and then a letter from the shop.",
        group=PurposeGroup.MAIL,
        cadences=(Cadence.AS_IT_HAPPENS, Cadence.MONTHLY),
        each="Each issue",
        data=_ADDRESS_LINK,
    ),
    Purpose(
        key=COUNT_IN_ALSO_BOUGHT,
        title="Count me in “others also bought”",
        explanation="We count which things were bought together. A pair shows only when at least five people have it.",
        reads="Which things you bought together, never gifts, never your name.",
        gives="Better shelves for all, and so for you.",
        group=PurposeGroup.OTHERS,
        data=_ORDERS_LINK,
    ),
)

_by_key = {purpose.key: purpose for purpose in (*PURPOSES, PERSONAL_SHOPPER, VISITOR_HISTORY)}
NEWS_OF_ORDERS = tuple(purpose.key for purpose in PURPOSES if purpose.is_service)
UNDER_MASTER = tuple(purpose.key for purpose in PURPOSES if not purpose.is_service)


def get_purpose(key: str) -> Purpose:
    """The purpose. Raises KeyError for a key nobody registered."""
    return _by_key[key]


def is_purpose(key: str) -> bool:
    """Whether there is such a switch among the single ones."""
    return key in _by_key and key not in {PERSONAL_SHOPPER.key, VISITOR_HISTORY.key}
