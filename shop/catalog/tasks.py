from celery import shared_task

from shop.catalog import listing


@shared_task
def recheck_stock() -> None:
    listing.update_stock_flags()
