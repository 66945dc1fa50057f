"""A shop whose every text is as long as the database takes it: one word without a space to break it at, or many."""

from decimal import Decimal
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry
from django.db import models, transaction
from django.db.utils import DataError, IntegrityError, InternalError, ProgrammingError
from django.utils import timezone

from accounts.models import Address, User
from orders.fulfilment import transitions
from orders.models import (
    LaneWindow,
    Order,
    ReturnAuthorization,
    ReturnExclusion,
    ReturnLabel,
    ReturnLine,
    ReturnPicture,
    Shipment,
    ShopSettings,
)
from orders.models.settings import ONLY_ROW
from orders.models.withdrawal import Withdrawal
from shop.catalog.models import Product, StockRecord
from tests import builders, cast
from tests.backoffice.steps import order_at

OURS = ("accounts", "auth", "catalog", "notifications", "orders", "retrying")
# one of a known list each, or of a form that is asked for
CODES = {
    "carrier": "royal_mail",
    "country": "GS",
    "currency": "GBP",
    "purpose": "newsletter",
    "topic": "receipt",
    "url_template": "https://track.example.com/" + "w" * 266 + "{number}",
}
KEYS = {"codename", "password", "hash", "app_label", "model"}
UNBOUND = 300  # letters, where the model sets no end
COUNTED = {"quantity", "on_hand", "allocated", "attempt_count"}
STAGES = ("waiting", "picking", "picked", "packed", "packed")


def fill_shop(*, longest_word: int = UNBOUND) -> User:
    """One of everything the back office shows, each text and amount as long as may be. Returns who owns the shop."""
    owner = cast.sam()
    _furnish(owner)
    for model in admin.site._registry:
        if not model._base_manager.exists():
            _make_one(model)
    for model in apps.get_models():
        if model._meta.app_label in OURS:
            _stretch(model, longest_word)
    return owner


def _furnish(owner: User) -> None:
    ShopSettings.objects.get_or_create(pk=ONLY_ROW)
    LaneWindow.objects.create(
        country="GS",
        method=builders.shipping_method(),
        days=-30,
        parcel_count=2_147_483_647,
        plain_share=0.123456,
        moved_share=1,
        added_days=-365.25,
        computed_at=timezone.now(),
    )
    builders.shipping_method()
    builders.delivery_zone(method=builders.shipping_method(), extra_days=60, surcharge="99999999.99")
    builders.tax_rate()
    builders.category("Wool", parent=builders.category("Socks"))
    goods = builders.product(sizes=("S", "M"), attributes={"w" * 80: "w" * 80}, tags=["w" * 40] * 3)
    item = goods.variants.first()
    builders.store("Mill Lane")
    far = StockRecord.objects.create(variant=item, store=builders.store("Mill Lane"))
    far.save()
    sold_out = builders.variant(on_hand=0)
    sold_out.product.goes_with.add(goods)
    alice = cast.alice()
    Address.objects.create(customer=alice, full_name="A", line1="1 Quay", city="Whitby", country="GS")
    made = [order_at(stage, item, builders.variant(), customer=alice, gift_note="x") for stage in STAGES]
    Shipment.objects.filter(order=made[2]).update(packing_note="x", packed_by="x")
    for number, order in enumerate([order_at("packed", item, customer=alice) for _ in range(2)]):
        transitions.dispatch_shipment(
            order.shipments.get().pk, actor="Sam", carrier="dpd", tracking_number=f"T{number}"
        )
    builders.placed_order(item, customer=alice)
    ended = builders.placed_order(item, customer=alice)
    over = {"status": Order.Status.CANCELLED, "payment_status": Order.PaymentStatus.REFUNDED}  # the longest badge
    Order.objects.filter(pk=ended.pk).update(**over)
    where = {"country": "GS", "shipping_name": "x", "line2": "x", "region": "x", "phone": "x", "cart_fingerprint": ""}
    Order.objects.update(**where, company_name="x", vat_id="x")
    _furnish_withdrawal(ended)
    _furnish_return(made[0], goods)
    for payment in made[3].payments.all():
        refund = {"currency": payment.currency, "reason": "x", "problem": "x", "actor": "x"}
        payment.refunds.create(amount=Decimal(1), status="succeeded", provider_reference="x", **refund)
    LogEntry.objects.log_actions(owner.pk, Product.objects.all(), CHANGE, [{"changed": {"fields": ["w" * 60]}}])


def _furnish_withdrawal(order: Order) -> None:
    Withdrawal.objects.create(
        order=order,
        way=Withdrawal.Way.STAFF,
        entered_by="x",
        full_name="x",
        contents="x",
        piece_count=1,
        declared_at=timezone.now(),
        has_left=False,
        currency=order.currency,
        goods_amount=1,
        delivery_amount=1,
        due_on=timezone.localdate(),
        set_aside_at=timezone.now(),
        set_aside_by="x",
        set_aside_reason="x",
    )


def _furnish_return(order: Order, goods: Product) -> None:
    made = ReturnAuthorization.objects.create(
        order=order,
        kind=ReturnAuthorization.Kind.FAULTY,
        wanted=ReturnAuthorization.Wanted.REPLACEMENT,
        reason=ReturnAuthorization.Reason.BROKE,
        words="x",
        piece_count=1,
        currency=order.currency,
        goods_amount=1,
        requested_at=timezone.now(),
        entered_by="x",
        refused_at=timezone.now(),
        refused_by="x",
        refused_reason="x",
    )
    ReturnLine.objects.create(return_authorization=made, order_line=order.lines.first(), quantity=1)
    ReturnPicture.objects.create(return_authorization=made, file="x")
    ReturnLabel.objects.create(
        return_authorization=made,
        requested_at=timezone.now(),
        carrier="x",
        tracking_number="x",
        file="x",
        cost=1,
        made_at=timezone.now(),
    )
    ReturnExclusion.objects.create(product=goods)


def _make_one(model: type[models.Model]) -> models.Model:
    """A row of a model that nothing above makes, with whatever it needs."""
    wanted = [field for field in model._meta.concrete_fields if not field.primary_key and not field.has_default()]
    return model._base_manager.create(**{field.name: _any_value(field) for field in wanted if _is_filled_in(field)})


def _is_filled_in(field: models.Field) -> bool:
    return not field.null or (field.editable and not field.remote_field)


def _any_value(field: models.Field) -> Any:
    if field.remote_field:
        target = field.remote_field.model
        return target._base_manager.first() or _make_one(target)
    if isinstance(field, models.DateField):
        return timezone.now() if isinstance(field, models.DateTimeField) else timezone.localdate()
    if field.choices and field.name not in CODES:
        return field.flatchoices[0][0]
    is_number = isinstance(field, models.DecimalField | models.IntegerField)
    return 1 if is_number else CODES.get(field.name) or longest_value(field, 1)


def _stretch(model: type[models.Model], longest_word: int) -> None:
    """What the database refuses is not legal, and stays as it is: then field by field, to keep the rest."""
    for key in model._base_manager.values_list("pk", flat=True):
        longest = {}
        for field in model._meta.concrete_fields:
            value = longest_value(field, key)
            is_text = value is not None and type(field) in (models.CharField, models.TextField)
            longest[field.name] = _broken(value, longest_word) if is_text else value
        longest = {name: value for name, value in longest.items() if value is not None}
        row = model._base_manager.filter(pk=key)
        if longest and not _is_taken(row, longest):
            for name, value in longest.items():
                _is_taken(row, {name: value})


def _is_taken(row: models.QuerySet[models.Model], values: dict[str, Any]) -> bool:
    try:
        with transaction.atomic():
            row.update(**values)
    except (DataError, IntegrityError, InternalError, ProgrammingError):
        return False
    return True


def _broken(text: str, longest_word: int) -> str:
    """As long as it was, with a space after every so many letters; its end, which tells rows apart, is kept."""
    words = range(longest_word, len(text) - 20, longest_word + 1)
    return "".join(" " if place in words else letter for place, letter in enumerate(text))


def longest_value(field: models.Field, key: Any) -> Any:
    """The longest a field may hold, different for each row; None for what is no free text and no amount."""
    if field.primary_key or field.remote_field or field.choices or field.name in CODES | dict.fromkeys(KEYS):
        return None
    if isinstance(field, models.DecimalField):
        return Decimal(10) ** (field.max_digits - field.decimal_places) - 1
    if isinstance(field, models.EmailField):
        return f"{key}".rjust(64, "w") + "@" + ".".join(["w" * 60] * 3)[: (field.max_length or 254) - 70] + ".com"
    if isinstance(field, models.FileField):
        return None
    if isinstance(field, models.CharField | models.TextField):
        return f"{key}".rjust(field.max_length or UNBOUND, "w")
    return 2**31 - 1 if field.name in COUNTED else None
