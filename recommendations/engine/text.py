"""What a product is called, as numbers: TF-IDF over runs of letters."""

import re
from collections.abc import Iterator, Sequence

import numpy as np
from scipy import sparse

_WORD = re.compile(r"[a-z0-9]+")
_ROWS_AT_ONCE = 512
_LEAST = 0.1  # a few letters in common are chance


def vectorize_titles(titles: Sequence[str]) -> sparse.csr_array:
    """Titles × terms, each row of length 1 (or 0 for a title without a word)."""
    vocabulary: dict[str, int] = {}
    rows, columns = [], []
    for row, title in enumerate(titles):
        for term in set(_extract_terms(title)):
            rows.append(row)
            columns.append(vocabulary.setdefault(term, len(vocabulary)))
    shape = (len(titles), len(vocabulary))
    counted = sparse.csr_array((np.ones(len(rows)), (rows, columns)), shape=shape)
    rarity = np.log((1 + shape[0]) / (1 + counted.sum(axis=0))) + 1
    return normalize_rows(counted @ sparse.diags_array(rarity))


def _extract_terms(title: str) -> Iterator[str]:
    """Every three and four letters in a row, so that near words are near: bag and bags, heart and heart-shaped."""
    padded = f" {' '.join(map(_strip_plural, _WORD.findall(title.lower())))} "
    for length in (3, 4):
        yield from (padded[start : start + length] for start in range(len(padded) - length + 1))


def _strip_plural(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") else word


def normalize_rows(matrix: sparse.csr_array) -> sparse.csr_array:
    lengths = np.sqrt(matrix.multiply(matrix).sum(axis=1))
    return sparse.csr_array(sparse.diags_array(1 / np.maximum(lengths, 1e-12)) @ matrix)


def find_alike_titles(titles: sparse.csr_array, *, top: int) -> sparse.csr_array:
    """Cosine of every product's title with those of the `top` most alike, itself left out."""
    blocks = []
    for start in range(0, titles.shape[0], _ROWS_AT_ONCE):
        block = sparse.csr_array(titles[start : start + _ROWS_AT_ONCE] @ titles.T)
        rows = np.repeat(np.arange(block.shape[0]), np.diff(block.indptr))
        block.data[(block.indices == rows + start) | (block.data < _LEAST)] = 0
        block.eliminate_zeros()
        blocks.append(keep_strongest(block, top=top))
    return sparse.csr_array(sparse.vstack(blocks)) if blocks else sparse.csr_array(titles.shape)


def keep_strongest(matrix: sparse.csr_array, *, top: int) -> sparse.csr_array:
    """The `top` greatest entries of each row; of equals, the one with the lower index."""
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    order = np.lexsort((matrix.indices, -matrix.data, rows))
    kept = order[np.arange(len(order)) - matrix.indptr[rows] < top]
    return sparse.csr_array((matrix.data[kept], (rows[kept], matrix.indices[kept])), shape=matrix.shape)
