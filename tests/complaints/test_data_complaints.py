"""A complaint about data: sent without a login, acknowledged at once, watched until it is answered by mail."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from accounts.models import AccessLogEntry, AccountEvent, DataComplaint
from accounts.privacy import complaints
from accounts.privacy.complaints import ComplaintRefused
from notifications.models import OutgoingEmail
from tests import builders, cast
from tests.backoffice.test_access import signed_in, staff_member
from tests.notifications.acts import relay_and_deliver
from tests.notifications.conftest import sink
from tests.page import read_words
from tests.person import Person

__all__ = ["sink"]

pytestmark = pytest.mark.django_db

FORM = "/privacy/complaint/"
LIST = "/admin/accounts/datacomplaint/"
SAID = "You still write to me.\nPlease stop."


@pytest.fixture(autouse=True)
def _fresh_limits():
    cache.clear()


@pytest.fixture
def officer() -> Client:
    return signed_in(staff_member(role="Staff: privacy"))


def complain(email: str = "pat@example.com", words: str = SAID) -> Person:
    person = Person().open(FORM)
    return (
        person.write("Your name", "Pat Reader")
        .write("E-mail", email)
        .write("What is wrong?", words)
        .press("Send complaint")
    )


def filed(*, days_ago: int = 0, email: str = "pat@example.com", words: str = SAID) -> DataComplaint:
    made = complaints.file_complaint(full_name="Pat Reader", email=email, words=words)
    made.received_at -= timedelta(days=days_ago)
    made.due_on -= timedelta(days=days_ago)
    made.save()
    return made


def mails() -> list[tuple[str, str]]:
    return list(OutgoingEmail.objects.order_by("created_at").values_list("topic", "to_address"))


def act(staff: Client, *chosen: DataComplaint, **sent: str) -> list[str]:
    pks = [str(each.pk) for each in chosen]
    page = staff.post(LIST, {"action": "answer", "_selected_action": pks, **sent}, follow=True)
    return [str(message) for message in page.context["messages"]]


# -- Whoever complains -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/privacy/"])
def test_it_is_found_in_the_foot_and_on_the_privacy_page(path):
    person = Person().open(path).click("Complain about your data")
    assert (person.status, person.path) == (200, FORM)


def test_it_is_acknowledged_at_once_with_the_day_by_which_we_answer(sink):
    person = complain()
    assert person.sees("We have received your complaint")
    relay_and_deliver()
    [mail] = sink.received
    due = timezone.localdate() + timedelta(days=29)
    assert (mail.to, mail.topic) == ("pat@example.com", "data_complaint_received")
    for part in (mail.text, mail.html, person.text):
        assert f"{due.day} {due:%B %Y}" in part


def test_the_acknowledgement_repeats_nothing_of_what_was_typed(sink):
    complain(words="Buy our wonderful cheap pills")
    relay_and_deliver()
    [mail] = sink.received
    assert "wonderful cheap" not in mail.text + mail.html
    assert "Pat Reader" not in mail.text + mail.html


def test_customers_and_strangers_read_and_get_the_same():
    cast.alice()
    pages = {complain(f"{who}@example.com").words.replace(f"{who}@", "") for who in ("alice", "lee")}
    relay_and_deliver()
    assert len(pages) == 1
    assert mails() == [("data_complaint_received", f"{who}@example.com") for who in ("alice", "lee")]


def test_sent_again_that_day_it_is_one_and_acknowledged_once():
    for _ in range(3):
        complain()
    relay_and_deliver()
    assert DataComplaint.objects.count() == 1
    assert mails() == [("data_complaint_received", "pat@example.com")]


def test_one_address_gets_three_acknowledgements_a_day_and_everything_is_kept():
    for number in range(5):
        filed(words=f"Complaint {number}")
    relay_and_deliver()
    assert DataComplaint.objects.count() == 5
    assert len(mails()) == 3


@pytest.mark.parametrize("label", ["Your name", "E-mail", "What is wrong?"])
def test_what_is_missing_is_named_and_nothing_is_written(label):
    person = Person().open(FORM).write("Your name", "Pat").write("E-mail", "pat@example.com")
    person.write("What is wrong?", SAID).write(label, "").press("Send complaint")
    assert person.sees("Please ")
    assert not DataComplaint.objects.exists()
    assert not AccountEvent.objects.exists()


def test_more_than_a_few_a_minute_are_refused_and_nothing_is_written(client, settings):
    settings.DATA_COMPLAINTS_PER_MINUTE = 2
    said = {"full_name": "Pat", "email": "pat@example.com"}
    codes = [client.post(FORM, {**said, "words": str(number)}).status_code for number in range(3)]
    assert codes == [302, 302, 429]
    assert DataComplaint.objects.count() == 2


# -- Staff -----------------------------------------------------------------------------------------------------


def test_the_list_shows_the_day_and_the_nearest_first(officer):
    late, near, fresh = filed(days_ago=40, words="a"), filed(days_ago=25, words="b"), filed(words="c")
    words = read_words(officer.get(f"{LIST}?matter=open").text)
    assert words.index("(overdue)") < words.index("(4 days left)") < words.index("(29 days left)")
    assert f"{fresh.due_on:%a} {fresh.due_on.day} {fresh.due_on:%b %Y}" in words
    pressing = officer.get(f"{LIST}?matter=pressing").context["cl"].result_list
    assert [each.pk for each in pressing] == [late.pk, near.pk]


def test_the_first_page_counts_what_waits_and_what_is_near_its_day(officer):
    assert "Complaints about data" not in officer.get("/admin/").text
    filed()
    assert "due within a week" not in officer.get("/admin/").text
    filed(days_ago=25, words="b")
    words = " ".join(read_words(officer.get("/admin/").text).split())
    assert "2 Complaints about data" in words
    assert "1 Data complaints due within a week" in words


def test_the_answer_goes_by_mail_and_closes_it(officer, sink):
    made = filed()
    assert "Answered." in act(officer, made, confirm="1", answer="We stopped.\nSorry.")[0]
    relay_and_deliver()
    mail = next(each for each in sink.received if each.topic == "data_complaint_answered")
    assert mail.to == "pat@example.com"
    assert "We stopped." in mail.text
    assert "We stopped.<br>Sorry." in mail.html
    made.refresh_from_db()
    assert made.answered_at is not None
    assert "Complaints about data" not in read_words(officer.get("/admin/").text).partition("Accounts")[0]


def test_without_words_nothing_is_sent_and_it_stays_open(officer):
    made = filed()
    page = officer.post(LIST, {"action": "answer", "_selected_action": [str(made.pk)], "confirm": "1", "answer": " "})
    assert "Write the answer" in page.text
    assert DataComplaint.objects.unanswered().get() == made
    assert not AccountEvent.objects.filter(kind=AccountEvent.Kind.COMPLAINT_ANSWERED).exists()


def test_a_second_answer_is_refused_and_the_first_stands(officer):
    made = filed()
    complaints.answer_complaint(made.pk, answer="First.", actor="Jo")
    assert "answered before, by Jo" in act(officer, made, confirm="1", answer="Second.")[0]
    with pytest.raises(ComplaintRefused):
        complaints.answer_complaint(made.pk, answer="Third.", actor="Jo")
    made.refresh_from_db()
    assert made.answer == "First."
    assert AccountEvent.objects.filter(kind=AccountEvent.Kind.COMPLAINT_ANSWERED).count() == 1


@pytest.mark.parametrize("role", ["Staff: orders", "Staff: catalogue"])
def test_other_staff_see_none_of_it(role):
    made = filed()
    client = signed_in(staff_member(role=role))
    assert client.get(LIST).status_code == 403
    assert "Complaints about data" not in client.get("/admin/").text
    client.post(LIST, {"action": "answer", "_selected_action": [str(made.pk)], "confirm": "1", "answer": "x"})
    assert DataComplaint.objects.unanswered().exists()


def test_who_looks_is_in_the_access_log_of_the_customer_it_came_from(officer):
    pat = builders.customer("pat@example.com")
    made = filed()
    officer.get(f"{LIST}{made.pk}/change/")
    assert AccessLogEntry.objects.get(customer=pat).about == str(made)
