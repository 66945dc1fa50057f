from celery import shared_task

from recommendations import training


@shared_task
def train() -> None:
    training.train_when_due()


@shared_task
def withdraw() -> None:
    training.withdraw()


@shared_task
def relate() -> None:
    training.relate()
