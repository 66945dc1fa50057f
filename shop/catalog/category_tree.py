"""The whole category tree in one query: a shop has tens of categories, not thousands."""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from django.urls import reverse

from shop.catalog.models import Category


class Branch(NamedTuple):
    id: int
    parent_id: int | None
    name: str
    slug: str
    tint: int
    description: str
    url: str

    def get_absolute_url(self) -> str:
        return self.url


@dataclass(frozen=True)
class CategoryTree:
    branches: tuple[Branch, ...]  # in the order staff gave them

    @cached_property
    def by_id(self) -> dict[int, Branch]:
        return {branch.id: branch for branch in self.branches}

    @cached_property
    def by_slug(self) -> dict[str, Branch]:
        return {branch.slug: branch for branch in self.branches}

    @cached_property
    def _by_parent(self) -> dict[int | None, list[Branch]]:
        found: dict[int | None, list[Branch]] = {}
        for branch in self.branches:
            found.setdefault(branch.parent_id, []).append(branch)
        return found

    @property
    def roots(self) -> list[Branch]:
        return self._by_parent.get(None, [])

    def children(self, category_id: int) -> list[Branch]:
        return self._by_parent.get(category_id, [])

    def path(self, category_id: int) -> list[Branch]:
        """From the root down to the category itself. Stops where a loop of parents would begin."""
        steps: list[Branch] = []
        at = self.by_id.get(category_id)
        while at is not None and at not in steps:
            steps.append(at)
            at = self.by_id.get(at.parent_id) if at.parent_id else None
        return steps[::-1]

    def subtree_ids(self, category_id: int) -> list[int]:
        """The category and everything under it."""
        found = [category_id]
        for at in found:  # grows while we walk it
            found.extend(child.id for child in self.children(at) if child.id not in found)
        return found


def read_category_tree() -> CategoryTree:
    rows = Category.objects.values_list("id", "parent_id", "name", "slug", "tint", "description")
    return CategoryTree(tuple(Branch(*row, reverse("category", args=[row[3]])) for row in rows))
