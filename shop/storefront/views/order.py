"""An order's page and the list of a customer's orders."""

from collections.abc import Collection, Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.core.files.storage import default_storage
from django.core.paginator import Paginator
from django.db.models import Exists, OuterRef, Q, QuerySet, prefetch_related_objects
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.formats import date_format
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.models import Customer
from accounts.people.auth import customer_required, get_login_customer
from orders import (
    cancellation,
    gift_note,
    line_cancellation,
    line_change,
    order_access,
    order_mail_optins,
    pickup,
    promise,
    stages,
    status,
)
from orders.addresses import address_change
from orders.arrivals import format_arrivals
from orders.customs import describe_import_charges
from orders.delays import delay_words
from orders.delays.order_parts import find_part
from orders.models import Order, OrderLine, Payment
from orders.order_facts import OrderFacts, read_order_facts
from orders.papers import issuing
from orders.returns import deadlines, declaring, pieces, policy, return_wording, wording
from orders.timeline import Timeline, build_timelines
from orders.timeline_step import TimelineStep
from shop.storefront import consent_prompts, page_cache
from shop.storefront.consent_prompts import PromptPlace
from shop.storefront.guarantee_notice import build_notice_for

PER_PAGE = 20
JUST_NOW = timedelta(minutes=10)  # the receipt may still be on its way
ONE_WEEK = timedelta(days=7)
REFRESH_SECONDS = 5
WITHOUT_ONE_DAY = {
    *(progress.fulfilment_status for progress in (stages.ARRIVED, stages.HELD_UP, stages.CAME_BACK)),
    *stages.PARTLY_STATUSES,
}
STATES = {"next": ""}  # as `partials/steps.html` names them


@never_cache
@require_safe
def order(request: HttpRequest, number: str) -> HttpResponse:
    found = order_access.get_order_or_404(request, number)
    facts = read_order_facts(found.pk)
    prefetch_related_objects([found], "shipments")
    lost = status.lost_total(found) if facts.has_stripe_records else Decimal(0)
    has_come = found.placed_at is not None
    rows = [_make_line_row(line) for line in found.lines.select_related("product")]
    may_call_off = status.may_customer_cancel(found, lost=lost)
    place = pickup.describe_pickup(found, timezone.now())
    context = {
        "order": found,
        "words": status.get_customer_status_label(found),
        "badge": _get_badge_kind(found),
        "rows": rows,
        "adjustments": found.adjustments.all() if facts.has_adjustments else (),
        "address": found.address_lines,
        "may_change_address": address_change.may_change_address(found),
        "is_for_rest": stages.has_any_left(found) and not stages.has_all_left(found),
        "arrival": "" if place else _format_order_arrival(found),
        "place": place,
        "tax_name": page_cache.get_cached_terms().tax_names.get(str(found.country), ""),
        "customs_note": _format_customs_note(found),
        "news": order_mail_optins.get_optins_for_order(found) if facts.has_ticks else [],
        "may_cancel": may_call_off and cancellation.may_cancel(found),
        "gives_money_back": may_call_off and cancellation.gives_money_back(found),
        "may_cancel_some": may_call_off and line_cancellation.may_cancel_some(found, [row["line"] for row in rows]),
        "may_change_lines": line_change.may_change_lines(
            found, [row["line"] for row in rows], has_invoice=bool(facts.invoices)
        ),
        "may_change_note": gift_note.may_change_gift_note(found),
        "may_mark": has_come and found.status != Order.Status.CANCELLED and order_access.owns(request, found),
        "notice": status.get_customer_notice(found, lost=lost),
        "guarantee": build_notice_for(str(found.country), page_cache.get_cached_terms().settings) if has_come else None,
        "is_fresh": _is_just_placed(found),
        "invoices": [_describe_invoice(number, supplied_on) for number, supplied_on in facts.invoices],
        "may_ask_invoice": not facts.invoices and issuing.is_invoiceable(found),
        "has_misfit": not has_come and facts.has_payment(Payment.Status.FLAGGED),
        "has_failed": found.status == Order.Status.CANCELLED
        and not has_come
        and facts.has_payment(Payment.Status.FAILED),
    }
    context |= _compute_net_total(found, lost)
    if declaring.has_contract(found):
        prefetch_related_objects([found], "events", "shipments", "withdrawals")
        context["delays"] = _describe_delays(found)
        going_back = pieces.count_going_back(found) if facts.has_returns else {}
        context["withdraw_until"] = _describe_withdrawal_period(
            found, [row["line"] for row in rows], going_back_count=sum(going_back.values())
        )
    context |= _describe_returns(found, facts)
    if found.status == Order.Status.PENDING:
        context |= _describe_unpaid(found, [row["line"] for row in rows]) | {
            "refresh_seconds": _get_refresh_seconds(request)
        }
        return render(request, "storefront/order.html", context)
    ask = _find_order_prompt(request, found, facts)
    stories = _build_timelines(found, to_deny=pieces.list_parcels_to_deny(found, facts))
    return render(request, "storefront/order.html", context | {"stories": stories, "ask": ask})


def _format_customs_note(found: Order) -> str:
    """What may be asked for at a border; empty where it passes none, or nothing of it travels any more."""
    is_over = found.status == Order.Status.CANCELLED or found.fulfilment_status == Order.FulfilmentStatus.DELIVERED
    if is_over or found.pickup_store_id:
        return ""
    terms, country = page_cache.get_cached_terms(), str(found.country)
    tax_name = terms.tax_names.get(country, "Tax") if found.tax_total else ""
    return describe_import_charges(str(terms.settings.default_country), country, tax_name=tax_name)


def _describe_delays(found: Order) -> list[dict[str, str | bool]]:
    """What its buyer was told last of a later day, of each parcel, while there is something to choose. Two queries for
    an order in two parcels.
    """
    is_open = found.status == Order.Status.CONFIRMED and not found.hold
    if not is_open or found.fulfilment_status in stages.DONE_STATUSES:
        return []
    told = delay_words.list_latest(found.events.all())
    today, has_any_left = timezone.localdate(), stages.has_any_left(found)
    return [
        {
            "is_rest": has_any_left and not each.what,
            "is_part": bool(each.what),
            "slip": delay_words.describe_slip(each, today),
            "silence": delay_words.describe_silence(each, today, is_rest=has_any_left),
        }
        for each in told
        if each.is_asking and not (each.what and find_part(found, is_first=each.is_of_first).is_done)
    ]


def _describe_invoice(number: str, supplied_on: date | None) -> dict[str, object]:
    return {"number": number, "label": f"{issuing.get_kind(number).label} {number}", "supplied_on": supplied_on}


def _describe_withdrawal_period(found: Order, lines: list[OrderLine], *, going_back_count: int) -> str:
    """Until when the buyer may withdraw; empty once they may not, or have withdrawn from all of it."""
    period = deadlines.find_withdrawal_period(found, page_cache.get_cached_terms())
    withdrawals = found.withdrawals.all()
    is_over = declaring.is_all_withdrawn(lines, withdrawals, going_back_count=going_back_count)
    if is_over or not period.is_open_at(timezone.now()):
        return ""
    return wording.describe_period(period, timezone.now(), is_collected=found.pickup_store_id is not None)


def _describe_returns(found: Order, facts: OrderFacts) -> dict[str, Any]:
    """The ways to send something back, and where each return stands. A query more for an order that has returns, and
    those of its pieces for one of which anything went back.
    """
    if found.status not in declaring.CONTRACT_STATUSES or not stages.DISPATCHED_STAGES.intersection(facts.stages):
        return {}
    rule = policy.build_agreed_policy(found, page_cache.get_cached_terms())
    returns = found.returns.select_related("exchange_order", "refund").prefetch_related("lines__order_line")
    is_any_kept = pieces.is_any_kept(found, facts)
    window = policy.compute_return_window(found.shipments.all(), rule)
    return {
        "may_return": is_any_kept and window.is_open_at(timezone.now()),
        "may_complain": is_any_kept,
        "return_stories": [
            {"made": made, "story": make_story_context(return_wording.build_return_timeline(made))}
            for made in (returns if facts.has_returns else ())
        ],
    }


def _compute_net_total(found: Order, by_bank: Decimal) -> dict[str, Any]:
    """What we and the buyer's bank gave back, and what the order then comes to; nothing where no money went back."""
    if found.placed_at is None or found.payment_status == Order.PaymentStatus.PAID:
        return {}
    given_back = status.sum_refunded(found)
    if not given_back + by_bank:
        return {}
    return {"given_back": given_back, "given_back_by_bank": by_bank, "net": found.total - given_back - by_bank}


def _get_refresh_seconds(request: HttpRequest) -> int:
    """For who came back from paying before we heard of it: the page looks again by itself. 0: it does not."""
    return REFRESH_SECONDS if request.GET.get("paid") == "unknown" else 0


def _is_just_placed(found: Order) -> bool:
    if found.placed_at is None or found.approved_at is not None:
        return False
    return timezone.now() - found.placed_at < JUST_NOW


def _find_order_prompt(request: HttpRequest, found: Order, facts: OrderFacts) -> consent_prompts.ConsentPrompt | None:
    """The customer whose order it is, or a guest who came back to it by its link; not the one who has just ticked."""
    customer = get_login_customer(request)
    if customer is not None:
        return (
            consent_prompts.get_prompt_for_page(request, PromptPlace.ORDER, _list_coming_news(found))
            if found.customer_id == customer.pk
            else None
        )
    if _is_just_placed(found) or not found.email:
        return None
    ticked = set(found.ticks.values_list("purpose", flat=True)) if facts.has_ticks else set()
    return consent_prompts.get_prompt_for_guest(
        request, found.number, [key for key in _list_coming_news(found) if key not in ticked]
    )


def _list_coming_news(found: Order) -> tuple[str, ...]:
    """News of this order that is still to come."""
    if found.status != Order.Status.CONFIRMED:
        return ()
    ahead = stages.list_mail_ahead(found.fulfilment_status, stages.get_road(found))
    return tuple(key for key in consent_prompts.ORDER_NEWS if key in ahead)


def _make_line_row(line: OrderLine) -> dict[str, Any]:
    """A line with its picture, as long as the shop still has the thing."""
    image = line.product.card_image if line.product else ""
    branch = page_cache.get_cached_tree().by_id.get(line.product.category_id) if line.product else None
    return {
        "line": line,
        "image_url": default_storage.url(image) if image else "",
        "tint": branch.tint if branch else 1,
    }


def _describe_unpaid(found: Order, lines: Iterable[OrderLine]) -> dict[str, Any]:
    """How it may still be paid: by the payment that waits, or, of an order that staff entered, by a new one."""
    payment = found.payments.order_by("-id").first()
    is_under_way = payment is not None and payment.status not in (Payment.Status.EXPIRED, Payment.Status.FAILED)
    may_pay = found.is_payable_by_link and not is_under_way
    terms = page_cache.get_cached_terms()
    return {
        "payment": payment,
        "stories": _build_timelines(found, to_deny=set())
        if found.payment_status == Order.PaymentStatus.PROCESSING
        else [],
        "may_pay": may_pay,
        "pay_by": _format_pay_by(found),
        "expected": _format_dates(found) if may_pay else "",
        "guarantee": build_notice_for(str(found.country), terms.settings) if may_pay else None,
        "returns": policy.describe_for_order(policy.build_agreed_policy(found, terms), lines) if may_pay else "",
    }


def _format_pay_by(found: Order) -> str:
    return promise.format_day(timezone.localdate(found.pay_by_at), timezone.localdate()) if found.pay_by_at else ""


def _build_timelines(found: Order, *, to_deny: Collection[int] = ()) -> list[dict[str, Any]]:
    if found.source == Order.Source.IMPORT and not found.shipments.all():
        return []  # from before our time, and nobody told us how it went
    return [
        make_story_context(story)
        | {"parcel": story.parcel, "may_deny": story.parcel is not None and story.parcel.pk in to_deny}
        for story in build_timelines(found)
    ]


def make_story_context(story: Timeline) -> dict[str, Any]:
    """A timeline as the page shows it."""
    return {
        "title": story.title,
        "contents": story.contents,
        "steps": [_make_step_context(step) for step in story.steps],
        "note": story.note,
        "note_by": story.note_by,
    }


def _make_step_context(step: TimelineStep) -> dict[str, Any]:
    return {
        "label": step.title,
        "state": STATES.get(step.state, step.state),
        "at": step.at,
        "expected": _format_expected_day(step),
        "detail": step.text,
        "link_url": step.link_url,
        "link_text": step.link_text,
    }


def _format_expected_day(step: TimelineStep) -> str:
    """Short where it is not within the week, as the times beside it are."""
    if step.expected_on is None:
        return ""
    today = timezone.localdate()
    is_near = timedelta(0) <= step.expected_on - today < ONE_WEEK
    return f"by {promise.format_day(step.expected_on, today) if is_near else date_format(step.expected_on, 'D j M')}"


def _format_order_arrival(found: Order) -> str:
    """When it comes, while all of it still is to come and nothing holds it up.

    Each parcel's timeline has its own day once some has left; of what is held up or comes back nobody knows one.
    """
    if found.status != Order.Status.CONFIRMED or found.fulfilment_status in WITHOUT_ONE_DAY or found.hold:
        return ""
    return _format_dates(found)


def _format_dates(found: Order) -> str:
    arrives = format_arrivals(found, timezone.localdate())
    return f"With you {arrives}." if arrives else ""


@never_cache
@require_safe
@customer_required
def account_orders(request: HttpRequest, customer: Customer) -> HttpResponse:
    page = Paginator(_find_visible_orders(customer), PER_PAGE).get_page(request.GET.get("page"))
    rows = [
        {"order": each, "words": status.get_customer_status_label(each), "kind": _get_badge_kind(each)} for each in page
    ]
    return render(request, "storefront/account/orders.html", {"page": page, "rows": rows})


def _find_visible_orders(customer: Customer) -> QuerySet[Order]:
    """What was paid for, and what a bank is paying for or did not pay for after all."""
    failed = Payment.objects.filter(order=OuterRef("pk"), status=Payment.Status.FAILED)
    is_placed = Q(placed_at__isnull=False) & ~Q(status=Order.Status.PENDING)
    is_with_bank = Q(payment_status=Order.PaymentStatus.PROCESSING) | Exists(failed)
    return Order.objects.filter(is_placed | is_with_bank, customer=customer).prefetch_related("lines")


def _get_badge_kind(found: Order) -> str:
    """The badge's colour."""
    if found.status == Order.Status.CANCELLED:
        return "out"
    is_here = found.fulfilment_status == Order.FulfilmentStatus.DELIVERED and not found.has_denied_delivery
    return "in" if is_here else "wait"
