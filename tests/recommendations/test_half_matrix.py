"""A large symmetric matrix is inverted in half its room, and the inverse is that of the whole one."""

import tracemalloc

import numpy as np
import pytest
from scipy import sparse

from recommendations.engine.half_matrix import HalfMatrix


def gram_of(size: int) -> sparse.csr_array:
    drawn = np.random.default_rng(size)
    contents = sparse.csr_array((drawn.random((3 * size, size)) < 0.3).astype(float))
    return sparse.csr_array(contents.T @ contents)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 61])
def test_the_inverse_is_that_of_the_whole_matrix(size):
    gram, added = gram_of(size), np.linspace(1.0, 3.0, size)
    half = HalfMatrix.from_rows(size, [gram[:2], gram[2:5], gram[5:]])
    half.add_to_diagonal(added)
    rows, columns = (each.ravel() for each in np.indices((size, size)))
    whole = gram.toarray() + np.diag(added)
    assert half.read_entries(rows, columns) == pytest.approx(whole.ravel())
    assert half.invert().read_entries(rows, columns) == pytest.approx(np.linalg.inv(whole).ravel())


def test_it_takes_the_room_of_half_the_matrix():
    size = 1_500
    diagonal = sparse.csr_array(sparse.eye_array(size))
    tracemalloc.start()
    HalfMatrix.from_rows(size, [diagonal]).invert()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 0.6 * size**2 * 8
