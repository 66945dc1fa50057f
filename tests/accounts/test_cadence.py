from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from accounts.consent import purposes
from accounts.preferences import cadence
from accounts.preferences.cadence import Cadence
from tests import cast

LONDON = ZoneInfo("Europe/London")


def at(day: int, hour: int, month: int = 3) -> datetime:
    return datetime(2027, month, day, hour, tzinfo=LONDON)


def test_every_mail_beyond_the_receipts_offer_lets_one_choose_how_often():
    by_mail = {purposes.PurposeGroup.ORDERS, purposes.PurposeGroup.MAIL}
    mailed = [each for each in purposes.PURPOSES if each.group in by_mail]
    assert [each.key for each in mailed if not each.cadences] == [purposes.RECEIPT_OFFER]
    assert not any(each.cadences for each in purposes.PURPOSES if each.group not in by_mail)


@pytest.mark.parametrize(
    ("kind", "after", "comes"),
    [
        (Cadence.DAILY, at(9, 7), at(9, 8)),
        (Cadence.DAILY, at(9, 8), at(10, 8)),
        (Cadence.WEEKLY, at(9, 7), at(15, 8)),  # a Tuesday, then the Monday
        (Cadence.MONTHLY, at(9, 7), at(1, 8, 4)),  # over the change to summer time
        (Cadence.AS_IT_HAPPENS, at(9, 9), at(10, 8)),  # what a ceiling held back waits for the next morning
    ],
)
def test_gathered_news_comes_at_eight_in_the_morning(kind, after, comes):
    assert cadence.get_next_digest_time(kind, after) == comes


def test_less_often_offers_only_what_comes_less_often():
    assert cadence.get_less_frequent_cadences(purposes.NEWSLETTER, Cadence.AS_IT_HAPPENS) == (Cadence.MONTHLY,)
    assert cadence.get_less_frequent_cadences(purposes.NEWSLETTER, Cadence.MONTHLY) == ()
    assert cadence.get_less_frequent_cadences(purposes.MAIL_ORDER_PICKED, Cadence.DAILY) == (
        Cadence.WEEKLY,
        Cadence.MONTHLY,
    )
    assert cadence.get_less_frequent_cadences(purposes.RECEIPT_OFFER, Cadence.AS_IT_HAPPENS) == ()


@pytest.mark.django_db
def test_nobody_who_never_chose_is_written_to_less_than_they_asked_for():
    bob = cast.bob()
    assert cadence.get_cadence(bob, purposes.NEWSLETTER) == Cadence.AS_IT_HAPPENS
    assert cadence.get_cadence(None, purposes.MAIL_RECOMMENDATIONS) == Cadence.WEEKLY
    assert cadence.get_weekly_ceiling(bob) is None


@pytest.mark.django_db
def test_what_a_purpose_does_not_offer_is_refused_and_nothing_is_kept():
    bob = cast.bob()
    for refused in (Cadence.DAILY, "hourly"):
        with pytest.raises(ValueError, match="does not come"):
            cadence.set_cadence(bob, purposes.NEWSLETTER, refused)
    with pytest.raises(ValueError, match="one mail or more"):
        cadence.set_weekly_ceiling(bob, 0)
    assert not bob.mail_cadences.exists()
    assert cadence.get_weekly_ceiling(bob) is None


@pytest.mark.django_db
def test_the_latest_choice_holds_for_that_mail_and_that_customer_alone():
    alice, bob = cast.alice(), cast.bob()
    cadence.set_cadence(bob, purposes.MAIL_ORDER_PICKED, Cadence.WEEKLY)
    cadence.set_cadence(bob, purposes.MAIL_ORDER_PICKED, Cadence.DAILY)
    cadence.set_weekly_ceiling(bob, 3)
    assert cadence.get_chosen_cadences(bob) == {purposes.MAIL_ORDER_PICKED: Cadence.DAILY}
    assert cadence.get_chosen_cadences(alice) == {}
    assert (cadence.get_weekly_ceiling(bob), cadence.get_weekly_ceiling(alice)) == (3, None)
