"""Goods that come back: withdrawals from a contract, what is owed for them, and how staff see to them."""
