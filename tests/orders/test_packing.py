"""A parcel closes when each thing in it was scanned as often as it holds, and a wrong one never gets in."""

import random
from collections import Counter

import pytest

from accounts.models import User
from orders import cancellation
from orders.fulfilment import packing, transitions
from orders.fulfilment.transitions import TransitionRefused
from orders.models import Order, OrderEvent, PackingScan, Shipment, ShopSettings
from orders.payments import checkout_sessions
from shop.catalog.models import Variant
from tests import builders, cast
from tests.orders.packing_table import Packer, make_picked_parcels, pick

pytestmark = pytest.mark.django_db

EAN = "4006381333931"
Kind = OrderEvent.Kind


@pytest.fixture
def sam() -> User:
    return cast.sam()


def kit() -> User:
    return User.objects.create_user("kit@example.com", builders.PASSWORD, is_staff=True, first_name="Kit")


def begun(packer: User, *variants: Variant, quantity: int = 1) -> Shipment:
    return packing.begin_packing(pick(*variants, quantity=quantity).pk, packer=packer)


def check_refused(words: str, step, *, scans: int) -> None:
    """Refused with these words, and nothing happened."""
    before = list(Shipment.objects.values()), OrderEvent.objects.count()
    with pytest.raises(TransitionRefused, match=words):
        step()
    assert (list(Shipment.objects.values()), OrderEvent.objects.count()) == before
    assert PackingScan.objects.count() == scans


def test_a_parcel_closes_once_everything_was_scanned(sam):
    socks, mug = builders.variant(), builders.variant()
    parcel = begun(sam, socks, mug, quantity=2)
    for code in (socks.sku, mug.sku, socks.sku):
        packing.scan_item(parcel.pk, code, packer=sam)
    check_refused(f"Still to scan: 1 × {mug}", lambda: packing.close_parcel(parcel.pk, packer=sam), scans=3)
    packing.scan_item(parcel.pk, mug.sku, packer=sam)
    packing.close_parcel(parcel.pk, packer=sam, note="Enjoy.", weight_grams=850, box_count=2)
    parcel.refresh_from_db()
    assert (parcel.stage, parcel.packed_by, parcel.packing_note) == (Shipment.Stage.PACKED, "Sam", "Enjoy.")
    assert (parcel.weight_grams, parcel.box_count, parcel.packer) == (850, 2, None)
    assert parcel.order.events.get(kind=Kind.PACKED).actor == "Sam"


def test_what_is_not_in_the_parcel_is_refused_by_its_name(sam):
    wanted, other = builders.variant(), builders.variant()
    parcel = begun(sam, wanted)
    check_refused(
        f"Wrong item: {other} \\({other.sku}\\)",
        lambda: packing.scan_item(parcel.pk, other.sku, packer=sam),
        scans=0,
    )


def test_one_more_than_it_holds_is_refused(sam):
    wanted = builders.variant()
    parcel = begun(sam, wanted)
    packing.scan_item(parcel.pk, wanted.sku, packer=sam)
    check_refused("One too many", lambda: packing.scan_item(parcel.pk, wanted.sku, packer=sam), scans=1)


@pytest.mark.parametrize("code", ["", " ", "nothing of ours", "x" * 200, "a\x00b", "\ud800"])
def test_what_is_no_code_is_refused(sam, code):
    parcel = begun(sam, builders.variant())
    check_refused("Scan", lambda: packing.scan_item(parcel.pk, code, packer=sam), scans=0)


def test_a_barcode_does_as_well_as_a_sku(sam):
    wanted = builders.variant(builders.product(sizes=()), gtin=EAN)
    parcel = begun(sam, wanted, quantity=3)
    for code in (EAN, f"0{EAN}", wanted.sku.lower()):
        packing.scan_item(parcel.pk, code, packer=sam)
    assert packing.is_complete(packing.read_packing(parcel))


def test_a_sku_that_differs_in_capitals_only_is_another_thing(sam):
    one = builders.variant(builders.product(sizes=()), sku="tt-9")
    builders.variant(builders.product(sizes=()), sku="TT-9")
    parcel = begun(sam, one)
    check_refused("Wrong item", lambda: packing.scan_item(parcel.pk, "TT-9", packer=sam), scans=0)
    check_refused("no SKU", lambda: packing.scan_item(parcel.pk, "Tt-9", packer=sam), scans=0)


def test_the_last_scan_can_be_undone_again_and_again(sam):
    wanted = builders.variant()
    parcel = begun(sam, wanted, quantity=2)
    for _ in range(2):
        packing.scan_item(parcel.pk, wanted.sku, packer=sam)
    for left in (1, 0):
        packing.undo_last_scan(parcel.pk, packer=sam)
        assert packing.read_packing(parcel)[0].scanned_count == left
    check_refused("Nothing is in", lambda: packing.undo_last_scan(parcel.pk, packer=sam), scans=0)


# -- Who packs it ----------------------------------------------------------------------------------------------


def test_a_parcel_somebody_has_begun_is_nobody_elses_until_it_is_taken_over(sam):
    wanted, other = builders.variant(), kit()
    parcel = begun(sam, wanted, quantity=2)
    packing.scan_item(parcel.pk, wanted.sku, packer=sam)
    for step in (
        lambda: packing.begin_packing(parcel.pk, packer=other),
        lambda: packing.scan_item(parcel.pk, wanted.sku, packer=other),
        lambda: packing.undo_last_scan(parcel.pk, packer=other),
        lambda: packing.put_parcel_back(parcel.pk, packer=other),
        lambda: packing.close_parcel(parcel.pk, packer=other),
        lambda: transitions.mark_shipment_packed(parcel.pk, actor="Kit"),
    ):
        check_refused("Sam is packing", step, scans=1)
    packing.begin_packing(parcel.pk, packer=other, takes_over=True)
    packing.scan_item(parcel.pk, wanted.sku, packer=other)
    check_refused("Kit is packing", lambda: packing.scan_item(parcel.pk, wanted.sku, packer=sam), scans=2)
    assert packing.close_parcel(parcel.pk, packer=other).packed_by == "Kit"


def test_the_next_parcel_is_ones_own_else_the_longest_waiting_that_nobody_has(sam):
    first, second, third = (pick(builders.variant()) for _ in range(3))
    packing.begin_packing(first.pk, packer=kit())
    assert packing.begin_next_parcel(sam) == second
    assert packing.begin_next_parcel(sam) == second
    packing.put_parcel_back(second.pk, packer=sam)
    assert packing.begin_next_parcel(sam, skipped=second.pk) == third


def test_a_parcel_put_back_is_empty(sam):
    wanted = builders.variant()
    parcel = begun(sam, wanted, quantity=2)
    packing.scan_item(parcel.pk, wanted.sku, packer=sam)
    packing.put_parcel_back(parcel.pk, packer=sam)
    assert not PackingScan.objects.exists()
    assert packing.begin_next_parcel(kit()) == parcel


def test_the_table_leaves_out_what_is_on_hold_or_packed(sam):
    held, packed = pick(builders.variant()), pick(builders.variant())
    Order.objects.filter(pk=held.order_id).update(hold=Order.Hold.WARNING)
    transitions.mark_shipment_packed(packed.pk, actor="Sam")
    assert packing.begin_next_parcel(sam) is None
    check_refused("on hold", lambda: packing.begin_packing(held.pk, packer=sam), scans=0)
    check_refused("nothing to pack", lambda: packing.begin_packing(packed.pk, packer=sam), scans=0)


def test_a_parcel_called_off_while_it_is_packed_says_so(sam, monkeypatch):
    monkeypatch.setattr(checkout_sessions, "try_send_refund", lambda refund_id: None)
    wanted = builders.variant()
    parcel = begun(sam, wanted)
    cancellation.cancel_order(parcel.order_id, actor="Kit")
    check_refused("was cancelled", lambda: packing.scan_item(parcel.pk, wanted.sku, packer=sam), scans=0)


def test_where_everything_is_scanned_no_parcel_is_marked_packed(sam):
    ShopSettings(pk=1, packs_by_scanning=True).save()
    wanted = builders.variant()
    parcel = pick(wanted)
    check_refused("is scanned", lambda: transitions.mark_shipment_packed(parcel.pk, actor="Sam"), scans=0)
    packing.begin_packing(parcel.pk, packer=sam)
    packing.scan_item(parcel.pk, wanted.sku, packer=sam)
    assert packing.close_parcel(parcel.pk, packer=sam).stage == Shipment.Stage.PACKED


# -- Ten thousand parcels, two in a hundred things swapped -----------------------------------------------------------


@pytest.mark.django_db(transaction=True)  # in one transaction ten thousand parcels grow slower and slower
@pytest.mark.parametrize("count", [150, pytest.param(10_000, marks=pytest.mark.soak)])
def test_with_two_things_in_a_hundred_swapped_no_parcel_leaves_wrong(sam, count):
    parcels, goods = make_picked_parcels(count, seed=count)
    packer = Packer(sam, goods, random.Random(count), swapped=0.02)
    wrong = [parcel.pk for parcel, wanted in parcels if packer.pack(parcel) != Counter(wanted)]
    assert wrong == []
    assert packer.swapped_count > count * 0.02
    assert packer.refused_count >= packer.swapped_count
    assert Shipment.objects.filter(stage=Shipment.Stage.PACKED).count() == count


def test_a_packer_who_is_not_held_back_does_send_wrong_parcels(sam, monkeypatch):
    """The same table with its guard off: what is scanned counts for whatever is missing."""
    monkeypatch.setattr(packing, "_is_of_line", lambda line, code, variant: True)
    parcels, goods = make_picked_parcels(150, seed=150)
    packer = Packer(sam, goods, random.Random(150), swapped=0.02)
    assert any(packer.pack(parcel) != Counter(wanted) for parcel, wanted in parcels)
