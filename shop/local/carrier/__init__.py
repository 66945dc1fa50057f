"""A stand-in for EasyPost's trackers: told a number, it replays a parcel's life in signed webhooks to the shop.

The shop reaches it by HTTP and cannot tell. docs/carriers.md says what it does and how it is steered.
"""
