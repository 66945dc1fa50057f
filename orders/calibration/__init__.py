"""Promised dates that hold nine times in ten, and the proof by history. Numbers in, days out: no Django here.

What is computed, why and where it ends: docs/promised-dates.md, ADR 56.
"""
