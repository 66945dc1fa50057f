"""The day on which a carrier means to deliver a parcel: what it said last counts, and what is no day is none."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from orders.fulfilment import scans
from tests.carriers.telling import make_estimate, post_easypost, sent_parcel

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def told(client, parcel, *messages) -> date | None:
    for message in messages:
        assert post_easypost(client, message).status_code == 200
        scans.process_waiting_messages()
    parcel.refresh_from_db()
    return parcel.estimated_on


@pytest.mark.parametrize("text", ["2026-12-04T00:00:00Z", "2026-12-04T23:30:00-08:00", "2026-12-04"])
def test_the_day_is_the_one_that_is_written(client, text):
    parcel = sent_parcel()
    assert told(client, parcel, make_estimate(parcel.tracking_number, text)) == date(2026, 12, 4)


@pytest.mark.parametrize("text", [None, "", "soon", 20261204, ["2026-12-04"], {"on": "2026-12-04"}])
def test_what_is_no_day_is_none_and_no_message_is_lost_by_it(client, text):
    parcel = sent_parcel()
    assert told(client, parcel, make_estimate(parcel.tracking_number, text)) is None


@pytest.mark.parametrize("is_late", [False, True], ids=["in order", "the older one came last"])
def test_what_was_said_last_counts_however_it_comes(client, is_late):
    parcel, now = sent_parcel(), timezone.now()
    older = make_estimate(parcel.tracking_number, "2026-12-04T00:00:00Z", reference="a", told_at=now - 2 * HOUR)
    newer = make_estimate(parcel.tracking_number, "2026-12-07T00:00:00Z", reference="b", told_at=now - HOUR)
    messages = [newer, older] if is_late else [older, newer]
    assert told(client, parcel, *messages) == date(2026, 12, 7)


def test_a_day_is_taken_back_by_a_later_message_without_one(client):
    parcel, now = sent_parcel(), timezone.now()
    said = make_estimate(parcel.tracking_number, "2026-12-04T00:00:00Z", reference="a", told_at=now - 2 * HOUR)
    nothing = make_estimate(parcel.tracking_number, None, reference="b", told_at=now - HOUR)
    assert told(client, parcel, said, nothing) is None
