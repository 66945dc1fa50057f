"""Everything learnt from the purchases before one moment. Nothing after it, and no pair of fewer than k people.

Beside what was bought together stand two priors that reveal no purchase: how well a product sells (over at least k
people) and what it is called. The more baskets a product is in, the less they matter.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse

from recommendations.engine import pairs, text
from recommendations.engine.half_matrix import HalfMatrix
from recommendations.engine.purchases import Baskets, Floats, Purchases

K = 5  # distinct customers behind whatever is shown
# Fitted on earlier cut-offs of Online Retail; docs/recommendations.md says which, and how well they hold.
HALF_LIFE = 90.0  # days
PRIOR_DAYS = 14
PRIOR_WEIGHT = 75.0  # the popularity prior counts as so many (decayed) baskets
RARITY = 0.17  # how far a product that is in every basket is held back
SHRINK = 4.0
EASE_HALF_LIFE = 200.0
EASE_RIDGE = 2.0
EASE_DROPOUT = 1.0  # further ridge, as a share of each product's own weight
EASE_LIMIT = 10_000  # products; beyond it the inverse (cubic) is not worth its time
COSINE_WEIGHT = 0.05  # against EASE
COSINE_SHRINK = 1.0
COSINE_KEPT = 100
CART_TITLE_WEIGHT = 0.03
CART_RARITY = 0.05
ALIKE = 50  # neighbours by title


@dataclass(frozen=True, eq=False)
class PurchaseModel:
    """Trained lazily, part by part; frozen at `today` (days since 1970), the first day it does not know.

    `titles` are those of all products of the index, also of those nobody has bought: names are no secret.
    """

    history: Purchases
    today: int
    titles: Sequence[str]
    k: int = K

    @classmethod
    def frozen(cls, purchases: Purchases, *, end: float, titles: Sequence[str], k: int = K) -> "PurchaseModel":
        """What the purchases before `end` (days since 1970) tell, by the shop's own clock and calendar.

        The shelves and their evaluation both come from here.
        """
        known = purchases.between(end=end).without_long_gaps()
        return cls(known, known.day_after_last(end=end), titles, k)

    @property
    def baskets(self) -> Baskets:
        return self.history.baskets

    @cached_property
    def support(self) -> sparse.csr_array:
        return pairs.compute_support(self.baskets, k=self.k)

    @cached_property
    def pair_scores(self) -> sparse.csr_array:
        """What goes beside one product, by row: (C + D + title²) / (n + shrink)^rarity.

        C: weight of the baskets with both; D: of the customers with both; title: cosine, of what still sells.
        """
        known = self._together + self._bought_over_time + self._similar_titles_that_sell(power=2)
        return sparse.csr_array(known @ sparse.diags_array(self._compute_rarity_factor(RARITY)))

    @cached_property
    def base_scores(self) -> Floats:
        """What each product scores beside whatever product, to be added: λ·popularity / (n + shrink)^rarity."""
        share = self.popular(PRIOR_DAYS)
        return np.asarray(PRIOR_WEIGHT * share / max(share.sum(), 1e-12) * self._compute_rarity_factor(RARITY))

    @cached_property
    def cart_scores(self) -> sparse.csr_array:
        """What goes beside a cart: rows to be summed over it. EASE + cosine + title; no EASE past its limit."""
        found = self._cosine
        if len(self.history.products) <= EASE_LIMIT:
            found = self._ease + COSINE_WEIGHT * found
        found = found + CART_TITLE_WEIGHT * self._similar_titles_that_sell(power=1)
        return sparse.csr_array(found @ sparse.diags_array(self._compute_rarity_factor(CART_RARITY)))

    @cached_property
    def alike(self) -> sparse.csr_array:
        return text.find_alike_titles(self.title_vectors, top=ALIKE)

    @cached_property
    def title_vectors(self) -> sparse.csr_array:
        return text.vectorize_titles(self.titles)

    def popular(self, days: int) -> Floats:
        """Baskets of the last `days` with each product, as a share of the most; 0 under k distinct customers."""
        recent = self.history.between(start=self.today - days)
        sold = recent.baskets.contents.sum(axis=0)
        counted = np.where(recent.ever.sum(axis=0) >= self.k, sold, 0.0)
        return np.asarray(counted / max(counted.max(initial=0.0), 1.0))

    def own(self, half_life: float = np.inf) -> sparse.csr_array:
        """Customers × products: how often each bought what, an old purchase counting less."""
        weight = pairs.compute_decay(self.baskets, today=self.today, half_life=half_life)[self.baskets.line_basket]
        where = (self.baskets.customer[self.baskets.line_basket], self.baskets.contents.indices)
        return sparse.csr_array((weight, where), shape=self.history.shape)

    @cached_property
    def _gram(self) -> sparse.csr_array:
        return pairs.weigh_co_purchases(self.baskets, today=self.today, half_life=HALF_LIFE)

    @cached_property
    def _together(self) -> sparse.csr_array:
        """Decayed co-occurrence of the pairs with support, without the diagonal."""
        return sparse.csr_array(self._gram.multiply(self.support > 0))

    @property
    def _bought_over_time(self) -> sparse.csr_array:
        """Decayed co-occurrence of the same pairs in what each customer has bought over time, as one big basket."""
        own = self.own(HALF_LIFE)
        own.data = np.minimum(own.data, 1.0)
        weight = 1 / np.sqrt(np.maximum(own.sum(axis=1), 1.0))
        return sparse.csr_array((own.T @ (sparse.diags_array(weight) @ own)).multiply(self.support > 0))

    def _similar_titles_that_sell(self, *, power: int) -> sparse.csr_array:
        """How alike titles are, to a power, where the other product has sold in the last four weeks."""
        return sparse.csr_array(self.alike.power(power) @ sparse.diags_array((self.popular(28) > 0) * 1.0))

    @cached_property
    def _basket_counts(self) -> Floats:
        """Decayed count of the baskets of each product."""
        return np.asarray(self._gram.diagonal())

    def _compute_rarity_factor(self, rarity: float) -> Floats:
        return np.asarray(1 / (self._basket_counts + SHRINK) ** rarity)

    @property
    def _cosine(self) -> sparse.csr_array:
        """C / (√(nₐ·n_b) + shrink), the strongest of each row."""
        together = sparse.coo_array(self._together)
        rows, columns = together.coords
        size = np.sqrt(self._basket_counts)
        scores = together.data / (size[rows] * size[columns] + COSINE_SHRINK)
        return text.keep_strongest(sparse.csr_array((scores, (rows, columns)), shape=together.shape), top=COSINE_KEPT)

    @property
    def _ease(self) -> sparse.csr_array:
        """Item weights of EASE on decayed baskets; only those of pairs with support are kept.

        B = I − P/diag(P) with P = (G + λI + δ·diag(G))⁻¹, G = XᵀWX. λ as in Steck 2019 (EASE), δ the dropout of
        Steck 2020 (EDLAE): a product must be told by others, not by how often it is bought.
        """
        weighed = pairs.weigh_by_rows(self.baskets, today=self.today, half_life=EASE_HALF_LIFE)
        gram = HalfMatrix.from_rows(len(self.history.products), weighed)
        gram.add_to_diagonal(EASE_RIDGE + EASE_DROPOUT * gram.read_diagonal())
        inverse = gram.invert()
        rows, columns = sparse.coo_array(self.support).coords
        weights = -inverse.read_entries(rows, columns) / inverse.read_diagonal()[columns]
        return sparse.csr_array((weights, (rows, columns)), shape=self.support.shape)
