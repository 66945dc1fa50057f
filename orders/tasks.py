from celery import shared_task

from orders import reconciling, stripe_events


@shared_task
def reconcile_payments() -> None:
    reconciling.reconcile()


@shared_task
def process_stripe_events() -> None:
    stripe_events.process_waiting()
