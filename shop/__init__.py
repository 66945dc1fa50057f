"""The project package. Importing the Celery app here lets a web process find the broker."""

from shop.celery import app as celery_app

__all__ = ["celery_app"]
