"""The sample store: a general store, ours in every word and picture, to try the shop with.

The goods, people and orders are written in the TOML files beside this one; the modules put them on the shelves.
"""
