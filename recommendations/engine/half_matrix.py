"""A large symmetric matrix in half its room: LAPACK's rectangular full packed format (Gustavson et al. 2010), in which
it is inverted in place and about as quickly as the whole one."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.linalg import lapack

from recommendations.engine.purchases import Floats, Ints


@dataclass(frozen=True, eq=False)
class HalfMatrix:
    """Of `size` rows; every entry once."""

    size: int
    packed: Floats

    @classmethod
    def from_rows(cls, size: int, blocks: Iterable[sparse.csr_array]) -> "HalfMatrix":
        """From whole rows of it, some at a time, in their order."""
        packed, first = np.zeros(size * (size + 1) // 2), 0
        for block in blocks:
            rows, columns = (found := sparse.coo_array(block)).coords
            is_lower = columns <= rows + first
            packed[_find_places(size, rows[is_lower] + first, columns[is_lower])] = found.data[is_lower]
            first += block.shape[0]
        return cls(size, packed)

    def read_entries(self, rows: np.ndarray, columns: np.ndarray) -> Floats:
        return np.asarray(self.packed[_find_places(self.size, rows, columns)])

    def read_diagonal(self) -> Floats:
        return self.read_entries(np.arange(self.size), np.arange(self.size))

    def add_to_diagonal(self, values: Floats) -> None:
        self.packed[_find_places(self.size, np.arange(self.size), np.arange(self.size))] += values

    def invert(self) -> "HalfMatrix":
        """The inverse of a positive definite one, which is used up."""
        factor, _ = lapack.dpftrf(self.size, self.packed, transr="N", uplo="L", overwrite_a=1)
        inverse, _ = lapack.dpftri(self.size, factor, transr="N", uplo="L", overwrite_a=1)
        return HalfMatrix(self.size, inverse)


def _find_places(size: int, rows: np.ndarray, columns: np.ndarray) -> Ints:
    """Where entries stand: the left half of the lower triangle, and above it, on its side, the right half's."""
    rows, columns = np.maximum(rows, columns).astype(np.int64), np.minimum(rows, columns).astype(np.int64)
    half, is_even = (size + 1) // 2, 1 - size % 2
    is_left = columns < half
    down = np.where(is_left, rows + is_even, columns - half)
    across = np.where(is_left, columns, rows - half + 1 - is_even)
    return np.asarray(across * (size + is_even) + down)
