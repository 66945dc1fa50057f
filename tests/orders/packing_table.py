"""A packing table to try: picked parcels, and somebody who takes the wrong thing now and then."""

import random
from collections import Counter
from dataclasses import dataclass

from django.utils import timezone

from accounts.models import User
from orders.fulfilment import packing, transitions
from orders.fulfilment.transitions import TransitionRefused
from orders.models import Order, OrderLine, Shipment, ShipmentLine
from shop.catalog.models import Variant
from tests import builders

GOODS = 40  # kinds of things on the shelves
Wanted = dict[str, int]  # how many of each SKU


def pick(*variants: Variant, quantity: int = 1) -> Shipment:
    """A parcel on the packing table."""
    order = builders.placed_order(*variants, quantity=quantity)
    parcel = transitions.approve_order(order.pk, actor="Sam").shipments.get()
    return transitions.mark_shipment_picked(parcel.pk, actor="Sam")


def make_picked_parcels(count: int, *, seed: int) -> tuple[list[tuple[Shipment, Wanted]], list[Variant]]:
    """So many parcels of one to four things, each up to three times, and all the goods there are."""
    chance = random.Random(seed)
    product = builders.product(sizes=())
    goods = [builders.variant(product, on_hand=0, size=f"size {number}") for number in range(GOODS)]
    store, now = builders.store(), timezone.now()
    orders = Order.objects.bulk_create(
        Order(full_name="Pat", country="GB", status="confirmed", payment_status="paid", placed_at=now, approved_at=now)
        for _ in range(count)
    )
    parcels = Shipment.objects.bulk_create(Shipment(order=order, store=store, stage="picked") for order in orders)
    chosen = [
        (parcel, item, chance.randint(1, 3))
        for parcel in parcels
        for item in chance.sample(goods, chance.randint(1, 4))
    ]
    lines = OrderLine.objects.bulk_create(
        OrderLine(order=parcel.order, variant=item, sku=item.sku, title="Thing", quantity=much, unit_price=1)
        for parcel, item, much in chosen
    )
    ShipmentLine.objects.bulk_create(
        ShipmentLine(shipment=parcel, order_line=line, quantity=line.quantity)
        for (parcel, _, _), line in zip(chosen, lines, strict=True)
    )
    wanted: dict[int, Wanted] = {parcel.pk: {} for parcel in parcels}
    for parcel, item, much in chosen:
        wanted[parcel.pk][item.sku] = much
    return [(parcel, wanted[parcel.pk]) for parcel in parcels], goods


@dataclass
class Packer:
    """Somebody who goes by the picked goods, not by the screen: a thing goes into the box once its scan is taken.

    Of the things they hold a share is `swapped` for another; now and then they scan one twice, take one out again,
    or try to close too early. `pack` gives what is in the box when it is closed.
    """

    user: User
    goods: list[Variant]
    chance: random.Random
    swapped: float
    swapped_count: int = 0
    refused_count: int = 0

    def pack(self, parcel: Shipment) -> Counter[str]:
        packing.begin_packing(parcel.pk, packer=self.user)
        box: Counter[str] = Counter()
        skus = {line.pk: line.order_line.sku for line in parcel.lines.select_related("order_line")}
        while missing := [each for each in packing.read_packing(parcel) if each.missing_count > 0]:
            self._fumble(parcel, box, skus)
            self._try_thing(parcel, box, self._reach_for(self.chance.choice(missing).line.order_line.sku))
        self._try_thing(parcel, box, self.chance.choice(self.goods).sku)  # one more: there is no room for it
        packing.close_parcel(parcel.pk, packer=self.user)
        return +box

    def _reach_for(self, sku: str) -> str:
        if self.chance.random() >= self.swapped:
            return sku
        self.swapped_count += 1
        return self.chance.choice([each.sku for each in self.goods if each.sku != sku])

    def _try_thing(self, parcel: Shipment, box: Counter[str], sku: str) -> None:
        try:
            packing.scan_item(parcel.pk, sku, packer=self.user)
        except TransitionRefused:
            self.refused_count += 1  # aside with it
        else:
            box[sku] += 1

    def _fumble(self, parcel: Shipment, box: Counter[str], skus: dict[int, str]) -> None:
        what = self.chance.random()
        if what < 0.02 and box.total():
            gone = packing.undo_last_scan(parcel.pk, packer=self.user)
            box[skus[gone.shipment_line_id]] -= 1
        elif what > 0.98:
            try:
                packing.close_parcel(parcel.pk, packer=self.user)
            except TransitionRefused:
                self.refused_count += 1
