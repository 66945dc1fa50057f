"""Every mail on the wire keeps to RFC 5322 and 2047, whatever words people and goods bring along."""

import re
import uuid

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from accounts.consent import purposes
from accounts.people.auth_emails import AUTH_EMAILS
from notifications import audience, delivery
from notifications.models import NewsletterIssue
from notifications.topics import TOPICS
from orders.models import ShopSettings
from shop import mail
from shop.catalog.models import Product
from shop.wire_format import fold_mailbox, fold_text, fold_tokens, get_mail_domain
from tests import builders, cast
from tests.notifications import acts
from tests.notifications.test_writing import queue
from tests.notifications.wire import find_faults, get_header

pytestmark = pytest.mark.django_db

SUBJECTS = {
    "cyrillic": "Новые кружки вернулись, и тёплые носки тоже: посмотрите, пока их не разобрали соседи",
    "arabic": "عادت الجوارب الصوفية الدافئة إلى الرفوف، وهذه المرة بكل المقاسات والألوان التي طلبتموها",
    "hebrew and latin": "גרביים חדשים: the wool socks you asked for, in שחור and in white, at last",
    "emoji": "🧦" * 60,
    "families": "👩‍👩‍👧‍👦 " * 14,
    "flags": "🇬🇧🇺🇦" * 15,
    "combining": "e\u0301\u0302\u0323" * 30,
    "japanese": "靴下とマグカップが帰ってきました。" * 6,
    "a long word": "W" * 115,
    "a long word of theirs": "Носки" * 23,
    "long and plain": "The mugs are back, and this time there are enough for all who asked, and for one who did not.",
    "what looks encoded": "=?utf-8?q?free_socks?= for everybody",
    "what ends as encoded": "10 % off?=",
    "quotes and marks": 'Mugs, "cups" (and saucers) <all> of them; really: \\ yes @ the shop',
    "one letter beyond": "Mugs are back – " + "x" * 80,
    "short": "Mugs",
    "spaces that never break": "Mugs\u00a0are\u00a0back\u202f" * 5,
    "right to left marks": "\u202eMugs\u202c are \u200fback",
}


@pytest.mark.parametrize("subject", SUBJECTS.values(), ids=SUBJECTS)
def test_a_subject_in_any_script_arrives_as_it_was_written(sink, subject):
    builders.customer("a@example.com", ticks=(purposes.NEWSLETTER,))
    NewsletterIssue.objects.create(subject=subject, body="Come and see.", released_at=timezone.now())
    audience.fan_out_released_issues()
    assert delivery.deliver_due_mail() == 1
    [received] = sink.received
    assert get_header(received.content, "Subject") == " ".join(subject.split())
    assert received.message["Subject"] == " ".join(subject.split()) or "=?" in subject


@pytest.mark.parametrize("topic", TOPICS)
def test_every_topic_keeps_to_the_rules_with_hostile_names_and_titles(sink, topic):
    shop = {"name": "Дом кружек и носков «У самого синего моря»", "postal_address": "ул. Гаванская\r1"}
    ShopSettings.objects.update_or_create(id=1, defaults=shop)
    email = queue(topic, cast.alice())
    Product.objects.update(title=("Кружка 👩‍👩‍👧‍👦 e\u0301 " * 12)[:160])
    if email.order:
        email.order.lines.update(title="Ж" * 160)
        email.order.full_name = "Имя\rс переводом строки \x0b\x0c\x1f\x7f Очень" + "длинное" * 5
        email.order.gift_note = "one\r\ntwo\rthree\n.\n..\n" + "w" * 150
        email.order.save()
    assert delivery.deliver_due_mail() == 1
    assert sink.faults == []


@pytest.mark.parametrize("name", AUTH_EMAILS)
def test_every_mail_about_an_account_keeps_to_the_rules(sink, name):
    letter = AUTH_EMAILS[name]
    url = f"http://localhost:8000/{'k' * 400}" if letter.link else ""
    context = {"letter": letter, "subject": letter.subject, "url": url, "site_url": "http://localhost:8000"}
    subject, text, html = mail.render_message("account", context)
    mail.send_message(mail.Message(to="a@example.com", subject=subject, text=text, html=html, topic="account"))
    [received] = sink.received
    assert get_header(received.content, "Subject") == letter.subject
    assert text.strip() in received.text.replace("\r\n", "\n")


def test_allauths_own_mails_keep_to_the_rules(sink, client, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        client.post("/accounts/signup/", {"email": "new@example.com", "password1": "correct horse battery"})
        client.post("/accounts/password/reset/", {"email": "nobody@example.com"})
    assert len(sink.received) == 2
    assert {received.topic for received in sink.received} == {"account"}


@pytest.mark.parametrize(
    "sender",
    [
        "Say When <shop@saywhen.example>",
        "shop@saywhen.example",
        '"Say, When" <shop@saywhen.example>',
        "Дом кружек и носков «У самого синего моря» в Уитби <shop@saywhen.example>",
        f"{'Mugs and socks ' * 8}<shop@saywhen.example>",
        "🧦🧦🧦 <shop@saywhen.example>",
    ],
)
def test_a_shops_name_in_any_script_does_not_stop_its_mail(sink, settings, sender):
    mail._format_from_header.cache_clear()
    settings.DEFAULT_FROM_EMAIL = sender
    acts.queued(builders.paid_order(email="a@example.com"), acts.Kind.PLACED)
    assert delivery.deliver_due_mail() == 1
    [received] = sink.received
    assert received.message["From"].addresses[0].addr_spec == "shop@saywhen.example"
    name = sender.rpartition("<")[0].strip().strip('"')
    shown, _, address = get_header(received.content, "From").rpartition("<")
    assert shown.strip().strip('"') == name
    assert address.strip(">") == "shop@saywhen.example"


def test_a_long_address_of_a_page_in_a_header_is_never_cut_or_encoded():
    url = f"<https://shop.example/mail/unsubscribe/{'a' * 200}/>"
    assert fold_tokens("List-Unsubscribe", url) == f"List-Unsubscribe: {url}"


@pytest.mark.parametrize("value", ["a\r\nBcc: b@example.com", "a\nb", "a\rb", "a\x00b", "ключ"])
def test_a_line_break_in_a_header_for_machines_is_refused(value):
    with pytest.raises(ValueError, match="X-Topic"):
        fold_tokens("X-Topic", value)


@pytest.mark.parametrize("value", ["a\r\nBcc: b@example.com", "a\nBcc: b@example.com", "a\u2028Bcc: x", "a\x85Bcc: x"])
def test_a_line_break_in_a_subject_or_a_name_makes_no_header(value):
    for line in (fold_text("Subject", value), fold_mailbox("From", "a@example.com", value)):
        assert not re.search(r"(?m)^Bcc", line)


@pytest.mark.parametrize(
    ("site_url", "domain"),
    [
        ("https://shop.example", "shop.example"),
        ("http://localhost:8000", "localhost"),
        ("http://[::1]:8000", "[IPv6:::1]"),
        ("https://магазин.example", "xn--80aaalc5dzd.example"),
    ],
)
def test_a_message_id_is_one_wherever_the_shop_lives(site_url, domain):
    found = get_mail_domain(site_url)
    assert found.startswith(domain[:4])
    content = written(site=found)
    assert find_faults(content) == []


def written(subject: str = "Mugs", text: str = "One.", html: str = "<p>One.</p>", site: str = "localhost") -> bytes:
    made = mail.Message(
        to="a@example.com", subject=subject, text=text, html=html, topic="test", message_id=f"{uuid.uuid4()}@{site}"
    )
    return made.content


@given(st.text(max_size=200), st.text(max_size=2000))
def test_no_text_whatever_breaks_a_rule(subject, text):
    text = text.encode("utf-8", "ignore").decode()  # the database holds no lone surrogates
    content = written(subject, text, f"<p>{text}</p>")
    assert find_faults(content) == []
    shown = get_header(content, "Subject")
    kept = "".join(letter for letter in subject if letter.isprintable() and letter != " ")
    assert "".join(letter for letter in shown if letter.isprintable() and letter != " ") == kept


def test_letters_outside_latin_are_not_six_times_as_long():
    text = "Новые кружки вернулись. " * 400
    assert len(written(text=text, html=f"<p>{text}</p>")) < 2 * len(text.encode()) * 1.5
