from celery import shared_task

from recommendations import training
from shop.retrying import loops
from shop.retrying.loops import Loop

ADVICE = "The shelves stay as they were. If the error stays, tell whoever looks after the shop's software."
TRAINING = loops.register_loop(Loop("training", "Learning what is bought together", ADVICE))
LIKENESS = loops.register_loop(Loop("likeness", "Learning which products are alike", ADVICE))
TAKING_OUT = loops.register_loop(
    Loop(
        "withdrawal",
        "Taking withdrawn purchases out of the shelves",
        "Who withdrew is hidden from the shelves already; the tables behind them still hold the purchases. That is "
        "promised within a minute: tell whoever looks after the shop's software now.",
        first_pause_seconds=15,
    )
)
RECOMPUTING = loops.register_loop(
    Loop("recomputing", "Learning anew without what was withdrawn", ADVICE, first_pause_seconds=15)
)


@shared_task
def train() -> None:
    TRAINING.run_whole(training.train_when_due)
    withdraw()  # who withdrew meanwhile waits for no tick


@shared_task
def take_out_withdrawn() -> None:
    TAKING_OUT.run_whole(training.delete_withdrawn_lines)


@shared_task
def withdraw() -> None:
    RECOMPUTING.run_whole(training.rebuild_without_withdrawn)


@shared_task
def relate() -> None:
    LIKENESS.run_whole(training.compute_similar_products)
