"""What customers ask for about their own data, done in the background. Rows wait; each job is safe to run twice."""

from celery import shared_task

from accounts.privacy import erasure, export
from shop.storefront import data_controller


@shared_task
def build_exports() -> None:
    export.build_waiting_exports(
        controller=data_controller.get_controller(), privacy_url=data_controller.build_privacy_url()
    )


@shared_task
def erase_due() -> None:
    erasure.erase_due_customers()
