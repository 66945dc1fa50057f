"""Another size or colour of what was ordered, until somebody starts picking it: the buyer's wish or staff's, one way.

Only what costs the same and stands on the shelf that the order was promised from, so that neither a sum nor a day
moves: money, tax and parcels stay as they are. For anything else the buyer cancels that line and orders anew.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.db import transaction
from django.utils import timezone

from orders import events, stages
from orders.fulfilment import backorders
from orders.fulfilment.release import get_open_allocations
from orders.fulfilment.transitions import TransitionRefused
from orders.locks import lock_order
from orders.models import Allocation, Order, OrderEvent, OrderLine
from shop.catalog import stock
from shop.catalog.models import Variant
from shop.catalog.stock import OutOfStock

CHOOSE_AGAIN = "That is gone meanwhile. Please choose again."


@dataclass(frozen=True)
class Choice:
    """A line with what is promised to it, and what may be had instead."""

    line: OrderLine
    allocation: Allocation
    others: list[Variant]


class LineChangeForm(forms.Form):
    """For each line that has a choice: as it is, or something else of the same product.

    It carries what it showed of each line, so that one left as shown in an old tab is left as it is now.
    """

    def __init__(self, data: Any = None, *, choices: Mapping[int, Choice]) -> None:
        super().__init__(data)
        self.ordered = {f"line-{line_id}": choice.line for line_id, choice in choices.items()}
        for line_id, choice in choices.items():
            line = choice.line
            many = f"{line.quantity} × " if line.quantity > 1 else ""
            as_ordered = (line.variant_id, f"{line.options} (as ordered)")
            self.fields[f"line-{line_id}"] = forms.TypedChoiceField(
                label=f"{many}{line.title}",
                choices=[as_ordered, *((each.pk, each.label) for each in choice.others)],
                coerce=int,
                error_messages=dict.fromkeys(("required", "invalid_choice"), CHOOSE_AGAIN),
            )
            self.fields[f"shown-{line_id}"] = forms.CharField(
                required=False, max_length=20, initial=line.variant_id, widget=forms.HiddenInput
            )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if not self.errors and not self.chosen:
            raise forms.ValidationError("Everything is as it was. Choose another size or colour, or go back.")
        return cleaned

    @property
    def chosen(self) -> dict[int, int]:
        """The variant by the order line, of what is changed."""
        given = self.cleaned_data
        return {
            line.pk: given[name]
            for name, line in self.ordered.items()
            if given[name] != line.variant_id and str(given[name]) != given[f"shown-{line.pk}"]
        }


def may_change_lines(order: Order, lines: Iterable[OrderLine], *, has_invoice: bool) -> bool:
    """Whether its page offers it; what there is to choose from is told there. What an invoice names stays.

    For a page: no query. Prefetch `shipments`.
    """
    return not has_invoice and not _find_objection(order) and any(_is_changeable(line) for line in lines)


def list_choices(order: Order) -> dict[int, Choice]:
    """By order line, without those that have no choice. Three queries."""
    promised: dict[int, list[Allocation]] = {}
    for item in get_open_allocations(order):
        promised.setdefault(item.order_line_id, []).append(item)
    lines = [line for line in order.lines.select_related("variant") if _is_changeable(line)]
    on_sale = Variant.objects.sellable().filter(product__in={line.product_id for line in lines})
    variants = list(on_sale.prefetch_related("stock").order_by("position", "pk"))
    found = {}
    for line in lines:
        match promised.get(line.pk):
            case [item] if item.quantity == line.quantity:
                if others := [each for each in variants if _is_as_good(each, line, item)]:
                    found[line.pk] = Choice(line, item, others)
    return found


def _is_changeable(line: OrderLine) -> bool:
    """It has options to choose from, and none of it was cancelled."""
    return bool(line.options and line.product_id and line.variant_id) and not line.cancelled_quantity


def _is_as_good(variant: Variant, line: OrderLine, promised: Allocation) -> bool:
    """Of the same product, at the same price, and enough of it on the shelf that the line is promised from."""
    if variant.product_id != line.product_id or variant.pk == line.variant_id:
        return False
    if variant.price not in (line.unit_price, line.variant.price if line.variant else None):
        return False
    store_id = promised.record.store_id
    here = (record.on_hand - record.allocated for record in variant.stock.all() if record.store_id == store_id)
    return next(here, 0) >= line.quantity


@transaction.atomic
def change_lines(order_id: int, chosen: Mapping[int, int], *, actor: str) -> str:
    """Changes these lines to these variants, by their keys; says what was changed, empty for what is so already.

    Raises `TransitionRefused` once somebody picks it, while it is on hold, or where that is gone; nothing changes then.
    """
    order = lock_order(order_id)
    if objection := _find_objection(order):
        raise TransitionRefused(f"{order.number} {objection}")
    if order.invoices.exists():
        raise TransitionRefused(f"{order.number} has an invoice already, which names what was ordered.")
    choices = list_choices(order)
    as_it_is = set(order.lines.values_list("pk", "variant"))
    wanted = {line_id: variant_id for line_id, variant_id in chosen.items() if (line_id, variant_id) not in as_it_is}
    changes = [_choose(order, choices.get(line_id), variant_id) for line_id, variant_id in wanted.items()]
    if not changes:
        return ""
    _move_promises(order, changes)
    what = ", ".join(_write_change(choice.line, variant) for choice, variant in changes)
    events.record_order_event(order, OrderEvent.Kind.LINES_CHANGED, actor=actor, what=what)
    return what


def _choose(order: Order, choice: Choice | None, variant_id: int) -> tuple[Choice, Variant]:
    variant = next((each for each in choice.others if each.pk == variant_id), None) if choice else None
    if choice is None or variant is None:
        raise TransitionRefused(f"{order.number}: what was chosen instead is gone meanwhile. Look again.")
    return choice, variant


def _move_promises(order: Order, changes: list[tuple[Choice, Variant]]) -> None:
    """Stock in the order of variants, as whoever buys takes it."""
    steps: list[tuple[int, Choice, Variant | None]] = [(variant.pk, choice, variant) for choice, variant in changes]
    steps += [(choice.allocation.record.variant_id, choice, None) for choice, _ in changes]
    for _, choice, variant in sorted(steps, key=lambda step: step[0]):
        if variant is None:
            stock.release_allocation(choice.allocation.record_id, quantity=choice.line.quantity)
            Allocation.objects.filter(pk=choice.allocation.pk).update(released_at=timezone.now())
        else:
            _promise(order, choice, variant)
    backorders.serve_waiting([choice.allocation.record_id for choice, _ in changes])


def _promise(order: Order, choice: Choice, variant: Variant) -> None:
    quantity, store_id = choice.line.quantity, choice.allocation.record.store_id
    try:
        records = stock.allocate_stock({variant.pk: quantity}, store_id=store_id)
    except OutOfStock as refusal:
        raise TransitionRefused(f"{order.number}: {variant} was sold meanwhile. Look again.") from refusal
    Allocation.objects.create(order_line=choice.line, record_id=records[variant.pk], quantity=quantity)


def _write_change(line: OrderLine, variant: Variant) -> str:
    """Writes the line anew, and says how: “Felt slippers: Moss, size 13 instead of Rust, size 13”."""
    was = line.options
    line.variant, line.sku, line.options = variant, variant.sku, variant.label
    line.save(update_fields=["variant", "sku", "options"])
    return f"{line.title}: {line.options} instead of {was}"


def _find_objection(order: Order) -> str:
    """Why its things stay, as the end of a sentence after its number; empty where they may be changed."""
    if order.status != Order.Status.CONFIRMED:
        return "is not open, so what is in it stays as it is."
    if order.hold:
        return "is on hold, so what is in it stays as it is for now."
    if stages.is_any_begun(order):
        return "is being made ready already, so what is in it stays as it is."
    return ""
