from celery import shared_task

from orders import lane_windows, staff_orders
from orders.delays.finding import see_to_delays
from orders.fulfilment import approval_rule, following, scans, uncollected
from orders.papers import issuing
from orders.payments import reconciliation, stripe_events
from orders.payments.stripe_background import ask_in_background
from orders.returns import labels, statements


@shared_task
def open_payment_pages() -> None:
    with ask_in_background(reconciliation.PAYMENT_PAGES) as may_ask:
        if may_ask:
            reconciliation.open_waiting_payment_pages()


@shared_task
def reconcile_payments() -> None:
    with ask_in_background(reconciliation.PAYMENTS) as may_ask:
        if may_ask:
            reconciliation.reconcile_with_stripe()


@shared_task
def process_stripe_events() -> None:
    with ask_in_background(stripe_events.EVENTS) as may_ask:
        if may_ask:
            stripe_events.process_waiting_events()


@shared_task
def end_unpaid_orders() -> None:
    staff_orders.end_unpaid_orders()


@shared_task
def approve_waiting_orders() -> None:
    approval_rule.approve_waiting_orders()


@shared_task
def bring_statements_to_orders() -> None:
    statements.bring_statements_to_orders()


@shared_task
def process_carrier_messages() -> None:
    scans.process_waiting_messages()


@shared_task
def tell_of_delays() -> None:
    see_to_delays()


@shared_task
def remind_uncollected() -> None:
    uncollected.remind_uncollected()


@shared_task
def follow_new_parcels() -> None:
    following.follow_new_parcels()


@shared_task
def ask_about_silent_parcels() -> None:
    following.ask_about_silent_parcels()


@shared_task
def make_return_labels() -> None:
    labels.make_waiting_labels()


@shared_task
def issue_due_invoices() -> None:
    issuing.issue_due_invoices()


@shared_task
def compute_lane_windows() -> None:
    lane_windows.compute_lane_windows()
