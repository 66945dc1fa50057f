"""What a customer says never to show them is asked about again at hand-off, like their switches."""

import pytest
from django.utils import timezone

from accounts.consent import purposes
from accounts.models import Interest
from accounts.preferences import interests
from notifications import audience, delivery
from notifications.models import OutgoingItem
from recommendations import training
from shop.catalog import listing
from tests import builders
from tests.recommendations.test_training import buyers

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("what", ["product", "maker", "category"])
def test_what_is_hidden_while_a_letter_waits_is_dropped_at_hand_off(sink, what):
    pantry = builders.category("Pantry", parent=builders.category("Food"))
    jam = builders.product("Jam", maker=builders.maker("Foxglove"), category=pantry)
    others = [builders.product(title) for title in ("Spoon", "Bowl", "Cup")]
    buyers(5, *(each.variants.get() for each in (jam, *others)))
    listing.refresh_listings()
    training.train_epoch()
    bob = builders.customer(ticks=(purposes.MAIL_RECOMMENDATIONS,))
    audience.queue_weekly_recommendations(timezone.now())
    item = OutgoingItem.objects.get(product=jam)
    never = {"product": jam, "maker": jam.maker, "category": pantry.parent}
    interests.save_interest(bob, Interest(kind="never", **{what: never[what]}))
    assert delivery.deliver_due_mail() == 1
    item.refresh_from_db()
    assert (item.is_dropped, item.drop_reason) == (True, "withdrawn")
    words = f"{sink.received[0].message['Subject']} {sink.received[0].words}"
    assert "Spoon" in words
    assert "Jam" not in words
