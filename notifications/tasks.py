"""What wakes the loops. Each is safe to run twice, or not at all for a while: the rows wait."""

from celery import shared_task
from django.utils import timezone

from notifications import audience, delivery, relay


@shared_task(ignore_result=True)
def relay_events() -> None:
    relay.relay_all_events()


@shared_task(ignore_result=True)
def deliver_mail() -> None:
    delivery.deliver_due_mail()


@shared_task(ignore_result=True)
def fan_out_newsletter() -> None:
    audience.fan_out_released_issues()


@shared_task(ignore_result=True)
def queue_recommendation_mail() -> None:
    audience.queue_weekly_recommendations(timezone.localtime())
