"""The confirmation holds the notice of the legal guarantee, where EU law asks for it."""

import pytest

from tests import builders
from tests.notifications import acts

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("country", "is_due"), [("DE", True), ("IE", True), ("GB", False), ("US", False)])
def test_the_receipt_holds_the_notice_where_it_is_due(sink, country, is_due):
    builders.placed_order(country=country)
    acts.relay_and_deliver()
    [receipt] = sink.received
    for words in (receipt.text, receipt.html):
        assert ("EU legal guarantee: 2 years at least" in words) is is_due
        assert ("http://localhost:8000/legal-guarantee/" in words) is is_due
        assert ("You choose repair or replacement" in words) is is_due
