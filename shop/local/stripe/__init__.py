"""A stand-in for Stripe: its HTTP API, its hosted payment page and its webhooks, on loopback.

A process of its own (``python -m shop.local.stripe``) that imports neither Django nor the shop, so that the
shop can only talk to it the way it talks to Stripe: through the official library, over HTTP.
What it simulates and how tests steer it stands in ``docs/stripe-stand-in.md``.
"""
