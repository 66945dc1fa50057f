"""Every periodic job of the shop, on one page. Times in seconds; each job is safe to run twice."""

from celery.schedules import crontab

from shop.env import env

HEARTBEAT = {"queue": "ticks", "expires": 30}  # ticks never wait behind a backlog of work

RECONCILE_SECONDS = env.int("RECONCILE_SECONDS", 60)

SCHEDULE: dict[str, dict[str, object]] = {
    "recheck stock flags": {"task": "shop.catalog.tasks.recheck_stock", "schedule": 300, "options": {"expires": 300}},
    "relay events": {"task": "notifications.tasks.relay_events", "schedule": 2, "options": HEARTBEAT},
    "deliver mail": {"task": "notifications.tasks.deliver_mail", "schedule": 2, "options": HEARTBEAT},
    "fan out newsletter": {
        "task": "notifications.tasks.fan_out_newsletter",
        "schedule": 30,
        "options": {"expires": 30},
    },
    # Thursday through the day: each run serves whoever has not had this week's letter
    "queue recommendation mail": {
        "task": "notifications.tasks.queue_recommendation_mail",
        "schedule": crontab(day_of_week="thu", hour="9-17", minute="0"),
        "options": {"expires": 3600},
    },
    # for buyers who are looking at "we are opening your payment page"
    "open payment pages": {"task": "orders.tasks.open_payment_pages", "schedule": 2, "options": HEARTBEAT},
    "reconcile payments": {
        "task": "orders.tasks.reconcile_payments",
        "schedule": RECONCILE_SECONDS,
        "options": HEARTBEAT,
    },
    # those that staff entered and nobody paid in time
    "end unpaid orders": {"task": "orders.tasks.end_unpaid_orders", "schedule": 300, "options": {"expires": 300}},
    # whoever declares it by number and e-mail is told at once
    "bring withdrawals to their orders": {
        "task": "orders.tasks.bring_statements_to_orders",
        "schedule": 2,
        "options": HEARTBEAT,
    },
    "follow new parcels": {"task": "orders.tasks.follow_new_parcels", "schedule": 10, "options": {"expires": 10}},
    # a webhook may have been lost: each is asked about once in some hours
    "ask about silent parcels": {
        "task": "orders.tasks.ask_about_silent_parcels",
        "schedule": 60,
        "options": {"expires": 60},
    },
    "make return labels": {"task": "orders.tasks.make_return_labels", "schedule": 5, "options": HEARTBEAT},
    "process carrier messages": {"task": "orders.tasks.process_carrier_messages", "schedule": 5, "options": HEARTBEAT},
    # since the rule was changed, or a hold ended: as they are paid, orders approve themselves at once
    "approve obvious orders": {
        "task": "orders.tasks.approve_waiting_orders",
        "schedule": 60,
        "options": {"expires": 60},
    },
    "remind of what is not collected": {
        "task": "orders.tasks.remind_uncollected",
        "schedule": 900,
        "options": {"expires": 900},
    },
    "tell of delays": {"task": "orders.tasks.tell_of_delays", "schedule": 300, "options": {"expires": 300}},
    "measure our own deliveries": {
        "task": "orders.tasks.compute_lane_windows",
        "schedule": crontab(hour="2-8", minute="10"),
        "options": {"expires": 3600},
    },
    "issue invoices": {
        "task": "orders.tasks.issue_due_invoices",
        "schedule": 30,
        "options": {"queue": "ticks", "expires": 30},
    },
    "process payment events": {"task": "orders.tasks.process_stripe_events", "schedule": 5, "options": HEARTBEAT},
    "take out what is withdrawn": {
        "task": "recommendations.tasks.take_out_withdrawn",
        "schedule": 15,
        "options": {"queue": "ticks", "expires": 15},
    },
    "withdraw from recommendations": {
        "task": "recommendations.tasks.withdraw",
        "schedule": 15,
        "options": {"expires": 15},
    },
    "train recommendations": {"task": "recommendations.tasks.train", "schedule": 900, "options": {"expires": 900}},
    "relate products": {"task": "recommendations.tasks.relate", "schedule": 3600, "options": {"expires": 3600}},
    "checkpoint consents": {
        "task": "accounts.tasks.checkpoint_consents",
        "schedule": crontab(hour="3-8", minute="40"),  # once is enough; again where it failed
        "options": {"expires": 3600},
    },
    "build data exports": {"task": "shop.storefront.tasks.build_exports", "schedule": 5, "options": {"expires": 5}},
    "erase who is due": {"task": "shop.storefront.tasks.erase_due", "schedule": 10, "options": {"expires": 10}},
    "retire personal data": {
        "task": "shop.backoffice.tasks.retire_personal_data",
        "schedule": crontab(hour="4-8", minute="20"),
        "options": {"expires": 3600},
    },
}
