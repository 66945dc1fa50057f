from celery import shared_task

from orders import reconciling, stripe_events
from orders.asking_stripe import ask_in_background


@shared_task
def open_payment_pages() -> None:
    with ask_in_background(reconciling.PAYMENT_PAGES) as may_ask:
        if may_ask:
            reconciling.open_waiting_payment_pages()


@shared_task
def reconcile_payments() -> None:
    with ask_in_background(reconciling.PAYMENTS) as may_ask:
        if may_ask:
            reconciling.reconcile_with_stripe()


@shared_task
def process_stripe_events() -> None:
    with ask_in_background(stripe_events.EVENTS) as may_ask:
        if may_ask:
            stripe_events.process_waiting_events()
