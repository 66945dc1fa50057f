"""Two workers make the label of a return at once: one is bought. And without the turn that they take."""

import time
from contextlib import nullcontext

import pytest

from orders.gateways import easypost
from orders.models import ReturnLabel
from orders.returns import labels, policy
from orders.shop_terms import load_terms
from shop.retrying.loops import Loop
from tests.carriers.standin import carrier, carrier_process
from tests.concurrency.racing import at_once
from tests.patience import stretched
from tests.private_files import keep_private_files_in
from tests.returns.selling import came, returned, take_back

__all__ = ["carrier", "carrier_process"]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _shop(settings, tmp_path, monkeypatch):
    keep_private_files_in(tmp_path, settings)
    tell = easypost.create_return

    def tell_slowly(*args, **options):
        time.sleep(stretched(0.3))
        return tell(*args, **options)

    monkeypatch.setattr(easypost, "create_return", tell_slowly)


def make_labels_at_once(carrier) -> None:
    take_back(pays_return_postage=True, return_label_address="adr_1")
    made = returned(came())
    labels.request_label(made, policy.build_agreed_policy(made.order, load_terms()))
    before = len(carrier.steer("labels"))
    at_once([labels.make_waiting_labels] * 3)
    assert ReturnLabel.objects.get().made_at
    assert len(carrier.steer("labels")) == before + 1


def test_made_by_three_workers_at_once_one_label_is_bought(carrier):
    make_labels_at_once(carrier)


def test_without_the_turn_several_are_bought(carrier, monkeypatch):
    monkeypatch.setattr(Loop, "take_turn", lambda loop: nullcontext(enter_result=True))
    with pytest.raises(AssertionError):
        make_labels_at_once(carrier)
