"""Every periodic job of the shop, on one page. Times in seconds; each job is safe to run twice."""

from shop.env import env

TICKS = {"queue": "ticks", "expires": 30}  # ticks never wait behind a backlog of work

SCHEDULE: dict[str, dict[str, object]] = {
    "recheck stock flags": {"task": "shop.catalog.tasks.recheck_stock", "schedule": 300, "options": {"expires": 300}},
    "relay events": {"task": "notifications.tasks.relay_events", "schedule": 2, "options": TICKS},
    "deliver mail": {"task": "notifications.tasks.deliver_mail", "schedule": 2, "options": TICKS},
    "reconcile payments": {
        "task": "orders.tasks.reconcile_payments",
        "schedule": env.int("RECONCILE_SECONDS", 60),
        "options": TICKS,
    },
    "process payment events": {"task": "orders.tasks.process_stripe_events", "schedule": 5, "options": TICKS},
}
