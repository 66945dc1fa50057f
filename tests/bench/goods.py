"""A made-up catalog of any size, the same for the same seed: words as unevenly used as real ones, options, stock."""

import csv
import random
from pathlib import Path

ONSETS = [
    "b",
    "c",
    "d",
    "f",
    "g",
    "h",
    "k",
    "l",
    "m",
    "n",
    "p",
    "r",
    "s",
    "t",
    "v",
    "w",
    "br",
    "cl",
    "dr",
    "fl",
    "gr",
    "pl",
    "st",
    "tr",
    "sh",
    "ch",
]
VOWELS = ["a", "e", "i", "o", "u", "ai", "ea", "ou"]
SIZES = ([""], [""], ["S", "M", "L"], ["8", "9", "10", "11"])
DEPARTMENTS = 10
AISLES = 4
MAKERS = 200
COLUMNS = [
    "sku",
    "product",
    "title",
    "description",
    "category",
    "maker",
    "price",
    "stock",
    "size",
    "tags",
    "Made-in",
    "Weight",
]


def vocabulary(drawn: random.Random, count: int = 4000) -> list[str]:
    words = {_word(drawn) for _ in range(count)}
    found = sorted(words)
    drawn.shuffle(found)
    return found


def _word(drawn: random.Random) -> str:
    body = "".join(drawn.choice(ONSETS) + drawn.choice(VOWELS) for _ in range(drawn.choice((2, 2, 3))))
    return body + drawn.choice(("", "n", "r", "t", "s"))


def write(path: Path, *, products: int, seed: int = 1) -> list[str]:
    """Writes the CSV; gives the vocabulary, the commonest word first."""
    drawn = random.Random(seed)
    words = vocabulary(drawn)
    weights = [1 / (place + 3) for place in range(len(words))]
    with path.open("w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file)
        lines.writerow(COLUMNS)
        for number in range(products):
            title = " ".join(drawn.choices(words, weights, k=drawn.randint(3, 6))).capitalize()
            description = " ".join(drawn.choices(words, weights, k=40))
            department = drawn.randrange(DEPARTMENTS)
            category = f"Department {department} > Aisle {department}-{drawn.randrange(AISLES)}"
            maker = f"{words[drawn.randrange(MAKERS)].title()} & Co"
            price = f"{drawn.randint(100, 12000) / 100:.2f}"
            for size in drawn.choice(SIZES):
                sku = f"B{number:05d}{'-' if size else ''}{size}"
                stock = drawn.choice((0, 5, 10, 20))
                row = [sku, f"thing-{number:05d}", title, description, category, maker, price, stock, size]
                lines.writerow([*row, drawn.choice(words[:50]), drawn.choice(("Wales", "Leeds", "Fife")), "200 g"])
    return words
