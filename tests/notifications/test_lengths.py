"""No mail is so long that mail programs cut off its end, where it is left; whoever writes one is told in time."""

import re

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.consent import purposes
from accounts.models import Customer
from notifications import audience, delivery, lengths, newsletter, topics
from notifications.models import NewsletterIssue, OutgoingEmail, OutgoingItem
from orders.models import OrderLine
from tests import builders, cast
from tests.notifications import acts
from tests.notifications.test_writing import gather_news, queue

pytestmark = pytest.mark.django_db
LATIN, CYRILLIC = "The mugs are back on their shelf. ", "Кружки вернулись на свою полку. "


def written(kilobytes: float, sentence: str = LATIN) -> str:
    """A body whose whole letter comes to about so many thousand bytes."""
    frame = lengths.measure_newsletter("Mugs", "")
    body, paragraph = "", f"{sentence * 8}\n\n"
    one = lengths.measure_newsletter("Mugs", paragraph * 40) - frame
    body = paragraph * int((kilobytes * 1000 - frame) / one * 40)
    assert abs(lengths.measure_newsletter("Mugs", body) / 1000 - kilobytes) < 3
    return body


@pytest.mark.parametrize("sentence", [LATIN, CYRILLIC])
def test_a_newsletter_that_would_be_cut_is_refused_when_saved(admin_client, sentence):
    address = reverse("admin:notifications_newsletterissue_add")
    page = admin_client.post(address, {"subject": "Mugs", "body": written(124, sentence)})
    assert page.status_code == 200
    assert "Mail programs cut off what is beyond 100 KB" in page.text
    assert not NewsletterIssue.objects.exists()


def test_a_newsletter_that_gets_long_is_saved_with_a_warning_and_one_of_usual_length_without(admin_client):
    address = reverse("admin:notifications_newsletterissue_add")
    page = admin_client.post(address, {"subject": "Mugs", "body": written(88)}, follow=True)
    assert "It gets long. This letter comes to 8" in page.text
    page = admin_client.post(address, {"subject": "Mugs", "body": written(40)}, follow=True)
    assert "It gets long" not in page.text
    assert NewsletterIssue.objects.count() == 2


def test_the_page_for_writing_counts_and_the_preview_says_how_long_it_is(admin_client):
    page = admin_client.get(reverse("admin:notifications_newsletterissue_add")).text
    assert re.search(r'<textarea[^>]*data-most="100000"', page)
    assert "js/newsletter" in page
    issue = NewsletterIssue.objects.create(subject="Mugs", body=written(88))
    page = admin_client.get(reverse("admin:notifications_newsletter_preview", args=[issue.pk])).text
    assert "This letter comes to 8" in page
    assert "Send to 0" in page


def test_a_draft_that_became_too_long_elsewhere_is_not_sent(admin_client, sink):
    builders.customer("a@example.com", ticks=(purposes.NEWSLETTER,))
    issue = NewsletterIssue.objects.create(subject="Mugs", body=written(124))
    with pytest.raises(lengths.TooLongError, match=r"12\d KB"):
        newsletter.release_issue(issue.pk, actor="Sam")
    page = admin_client.get(reverse("admin:notifications_newsletter_preview", args=[issue.pk])).text
    assert "Send to" not in page
    page = admin_client.post(reverse("admin:notifications_newsletter_preview", args=[issue.pk]), follow=True).text
    assert "It was not sent." in page
    issue.refresh_from_db()
    assert issue.released_at is None
    assert not OutgoingEmail.objects.exists()


def test_a_letter_that_is_too_long_after_all_is_held_back_and_staff_see_why(sink):
    builders.customer("a@example.com", ticks=(purposes.NEWSLETTER,))
    NewsletterIssue.objects.create(subject="Mugs", body=written(124), released_at=timezone.now())
    audience.fan_out_released_issues()
    assert delivery.deliver_due_mail() == 0
    email = OutgoingEmail.objects.get()
    assert email.state == "failed"
    assert "cut off" in email.last_error
    assert sink.begun == []


def test_the_longest_newsletter_allowed_still_shows_its_leave_link(sink):
    builders.customer("a@example.com", ticks=(purposes.NEWSLETTER,))
    NewsletterIssue.objects.create(subject="Mugs", body=written(96), released_at=timezone.now())
    audience.fan_out_released_issues()
    assert delivery.deliver_due_mail() == 1
    [mail] = sink.received
    assert len(mail.content) <= lengths.MOST_BYTES
    shown = mail.content[:100_000]
    assert mail.message["List-Unsubscribe"].strip("<>") in mail.html
    assert shown.endswith(b"--\r\n")


def test_a_digest_of_two_hundred_pieces_of_news_is_left_where_a_short_one_is(sink):
    alice = cast.alice()
    gather_news(alice)
    digest = OutgoingEmail.objects.get(topic=topics.DIGEST.key)
    first = digest.items.get()
    for place in range(1, 200):
        order = builders.paid_order(customer=alice)
        news = OutgoingEmail.objects.create(
            key=f"n{place}", topic="order_packed", kind="service", to_address=alice.email, customer=alice, order=order,
            context={"shipment": acts.parcel(order, packing_note="Ж" * 280, packed_by="Ж" * 80).pk}, state="skipped",
        )  # fmt: skip
        OutgoingItem.objects.create(
            email=digest, block="news", position=place, news=news, order=order, purpose=first.purpose,
            consent_record=first.consent_record, stands_since_at=first.stands_since_at,
        )  # fmt: skip
    assert delivery.deliver_due_mail() == 1
    [mail] = sink.received
    assert len(mail.content) < lengths.MOST_BYTES
    assert "175 more, on the pages of your orders" in mail.text
    assert "175 more, on the pages of your orders" in mail.html
    assert "Turn it off" in mail.html


@pytest.mark.parametrize("topic", [topics.RECEIPT.key, "order_dispatched"])
def test_an_order_of_four_hundred_things_with_long_titles_makes_no_mail_that_is_cut(sink, topic):
    email = queue(topic, cast.alice())
    [line] = email.order.lines.all()
    shipment = email.order.shipments.first()
    fields = {"order": email.order, "sku": "X", "title": "Ж" * 160, "options": "Ж" * 100, "unit_price": "1.00"}
    made = OrderLine.objects.bulk_create(OrderLine(**fields, quantity=1, variant=line.variant) for _ in range(400))
    if shipment:
        shipment.lines.model.objects.bulk_create(
            shipment.lines.model(shipment=shipment, order_line=each, quantity=1) for each in made
        )
    assert delivery.deliver_due_mail() == 1
    [mail] = sink.received
    assert len(mail.content) < lengths.MOST_BYTES
    assert "361 more" in mail.text
    assert "361 more" in mail.html


def test_a_letter_of_suggestions_with_the_longest_titles_and_reasons_is_far_from_cut(sink):
    email = queue(topics.RECOMMENDATIONS.key, cast.alice())
    for item in email.items.exclude(product=None):
        item.why, item.product.title = "Ж" * 300, "Ж" * 160
        item.save()
        item.product.save()
    for place in range(5, 12):
        item.pk, item.position = None, place
        item.save()
    assert delivery.deliver_due_mail() == 1
    assert len(sink.received[0].content) < lengths.MOST_BYTES / 2


def test_measuring_stores_nothing_and_allows_for_the_longest_links(sink):
    size = lengths.measure_newsletter("Mugs", "One.")
    assert not Customer.objects.exists()
    assert not OutgoingEmail.objects.exists()
    builders.customer("a@example.com", ticks=(purposes.NEWSLETTER,))
    NewsletterIssue.objects.create(subject="Mugs", body="One.", released_at=timezone.now())
    audience.fan_out_released_issues()
    delivery.deliver_due_mail()
    assert len(sink.received[0].content) <= size < len(sink.received[0].content) + 600
