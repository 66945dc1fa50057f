"""What people do again and again on their way through the shop."""

from itertools import accumulate

from accounts.consent import purposes
from notifications import delivery, relay
from notifications.topics.order_stages import ORDER_STAGES
from orders.stages import USUAL_ROAD
from shop.local.mailbox.store import Mail, MailStore
from tests import builders
from tests.person import Person

STAGES = tuple(row.button.label for row in USUAL_ROAD)
FURTHEST = tuple(
    accumulate((row.milestone for row in USUAL_ROAD), lambda line, new: new or line)
)  # line after each step
BY_STAFF = {row.event for row in USUAL_ROAD}  # of what carriers tell, the scans have tests of their own
TOPIC_OF = {purposes.get_purpose(topic.purpose).title: topic.key for topic in ORDER_STAGES if topic.event in BY_STAFF}
ADDRESS = {"full_name": "Pat Reader", "address": "1 High Street", "city": "Leeds", "postcode": "LS1 1AA"}


class Mailbox:
    """Everything that came over the wire. Looking in it lets the shop's own loops do what beat would."""

    def __init__(self, store: MailStore) -> None:
        self._store = store

    def collect(self, to: str = "") -> list[Mail]:
        """Oldest first."""
        relay.relay_all_events()
        delivery.deliver_due_mail()
        return self._store.find(to=to)[::-1]

    def topics(self, to: str = "") -> list[str]:
        return [mail.topic for mail in self.collect(to)]

    def latest(self, to: str, topic: str = "") -> Mail:
        found = [mail for mail in self.collect(to) if topic in ("", mail.topic)]
        assert found, f"No mail {topic} for {to}: {self.topics()}"
        return found[-1]


def links_in(mail: Mail) -> list[str]:
    """Every address in the text part."""
    return [word.strip("<>().,") for word in mail.text.split() if "://" in word]


def link_in(mail: Mail, holding: str) -> str:
    found = [link for link in links_in(mail) if holding in link]
    assert found, f"No link with {holding!r} in:\n{mail.text}"
    return found[0]


def put_in_cart(person: Person, *slugs: str) -> Person:
    for slug in slugs or ("harbour-blanket",):
        person.open(f"/product/{slug}/").press("Add to cart")
    return person


def fill_in(person: Person, email: str) -> Person:
    """From the cart to a filled-in checkout page."""
    person.open("/cart/").press("Check out")
    return person.write("E-mail", email).fill(**ADDRESS)


def pay(person: Person) -> str:
    """From the filled-in page through the payment page and back; returns the order's number."""
    person.press("Continue to payment")
    assert not person.is_at_shop, person.words
    person.press("Pay")
    assert person.status == 200, person.words
    assert person.path.startswith("/orders/"), person.url
    return person.path.split("/")[2]


def buy(person: Person, *slugs: str, email: str = "pat@example.com", ticks: tuple[str, ...] = ()) -> str:
    put_in_cart(person, *slugs)
    return pay(fill_in(person, email).tick(*ticks))


def steps_between(first: str, last: str) -> tuple[str, ...]:
    """What staff press, from one button of the road to another, both of them too."""
    return STAGES[STAGES.index(first) : STAGES.index(last) + 1]


def order_page(staff: Person, number: str) -> Person:
    return staff.open(f"/admin/orders/order/?q={number}&queue=any").click(number)


def work(staff: Person, number: str, *steps: str) -> Person:
    """Takes the order's next steps by the buttons on its page."""
    for step in steps or STAGES:
        order_page(staff, number).press(step)
        if step == "Ship":
            staff.write("Tracking number", "AB123456789GB").press("Ship")
        assert staff.status == 200
    return staff


def sign_up(person: Person, mailbox: Mailbox, email: str) -> Person:
    person.open("/accounts/signup/").write("E-mail", email).write("Password", builders.PASSWORD).press("Sign up")
    letters = [mail for mail in mailbox.collect(email) if "/accounts/confirm-email/" in mail.text]
    return person.open(link_in(letters[-1], "/accounts/confirm-email/")).press("Confirm")


def choose(person: Person, *purposes: str) -> Person:
    """Exactly these switches on, saved with the button."""
    person.open("/account/preferences/")
    every = [each.labels[0] for each in person.page.fields if each.kind == "checkbox"]
    person.untick(*every).tick(*purposes)
    return person.press("Save")
