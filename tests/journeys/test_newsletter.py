"""The newsletter: twice asked before it comes, one click to leave."""

from django.utils import timezone

from accounts.models import Consent, ConsentRequest, Customer
from notifications import audience
from notifications.models import NewsletterIssue
from tests.journeys.walks import buy, link_in
from tests.person import Person

EMAIL = "pat@example.com"


def an_issue_goes_out(subject: str = "New mugs are in") -> None:
    NewsletterIssue.objects.create(subject=subject, body="They are tin.", released_at=timezone.now())
    audience.fan_out_released_issues()


def confirmed(guest, mailbox) -> None:
    buy(guest, email=EMAIL, ticks=("The newsletter",))
    letter = mailbox.latest(EMAIL, "consent_confirmation")
    page = Person().open(link_in(letter, "/consents/confirm/"))
    page.press(next(button.text for form in page.page.forms if form.method == "post" for button in form.buttons))
    assert page.status == 200


def test_an_address_nobody_confirmed_gets_no_newsletter(guest, mailbox):
    buy(guest, email=EMAIL, ticks=("The newsletter",))
    an_issue_goes_out()
    assert sorted(mailbox.topics()) == ["consent_confirmation", "receipt"]
    assert not Consent.objects.exists()


def test_following_the_link_alone_confirms_nothing(guest, mailbox):
    buy(guest, email=EMAIL, ticks=("The newsletter",))
    link = link_in(mailbox.latest(EMAIL, "consent_confirmation"), "/consents/confirm/")
    assert Person().open(link).status == 200
    an_issue_goes_out()
    assert "newsletter" not in mailbox.topics()
    assert not Customer.objects.filter(email=EMAIL).exists()
    assert ConsentRequest.objects.get().confirmed_at is None


def test_a_confirmed_address_gets_the_newsletter_and_leaves_with_one_click(guest, mailbox):
    confirmed(guest, mailbox)
    an_issue_goes_out()
    letter = mailbox.latest(EMAIL, "newsletter")
    headers = dict(letter.headers)
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert "List-Id" in headers
    link = headers["List-Unsubscribe"].strip("<>")
    assert link.startswith("http://localhost:8000/")
    # as a mail program does it: no cookie, no token of ours but the link
    answer = Person().send("POST", link, [("List-Unsubscribe", "One-Click")])
    assert answer.status == 200
    an_issue_goes_out("Second issue")
    assert mailbox.topics().count("newsletter") == 1
    assert Consent.objects.get(purpose="newsletter").granted is False


def test_a_mail_scanner_that_follows_every_link_changes_nothing(guest, mailbox):
    confirmed(guest, mailbox)
    an_issue_goes_out()
    before = list(Consent.objects.values())
    for mail in mailbox.collect(EMAIL):
        for link in {word.split('"')[0] for word in mail.html.split('href="')[1:]}:
            scanner = Person()
            assert scanner.open(link.replace("&amp;", "&")).status in (200, 404)
            assert scanner.send("HEAD", link).status in (200, 302, 303, 404)
    assert list(Consent.objects.values()) == before
    an_issue_goes_out("Second issue")
    assert mailbox.topics().count("newsletter") == 2


def test_the_page_behind_the_link_leaves_at_the_press_of_its_button(guest, mailbox):
    confirmed(guest, mailbox)
    an_issue_goes_out()
    reader = Person().open(link_in(mailbox.latest(EMAIL, "newsletter"), "/mail/unsubscribe/"))
    assert Consent.objects.get(purpose="newsletter").granted is True
    reader.press("Turn it off")
    assert reader.status == 200
    assert Consent.objects.get(purpose="newsletter").granted is False
