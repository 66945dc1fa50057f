"""Where an order goes: postcodes, delivery zones and what they say in words, and another address after the purchase."""
