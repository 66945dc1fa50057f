import pytest

from shop.catalog.category_tree import read_category_tree
from shop.catalog.models import Category
from tests import builders

pytestmark = pytest.mark.django_db


def test_the_tree_knows_paths_children_and_everything_below(django_assert_num_queries):
    clothing = builders.category("Clothing")
    socks = builders.category("Socks", parent=clothing)
    wool = builders.category("Wool socks", parent=socks)
    hats = builders.category("Hats", parent=clothing)
    with django_assert_num_queries(1):
        found = read_category_tree()
        assert [branch.name for branch in found.roots] == ["Clothing"]
        assert [branch.name for branch in found.path(wool.id)] == ["Clothing", "Socks", "Wool socks"]
        assert {branch.name for branch in found.children(clothing.id)} == {"Socks", "Hats"}
        assert set(found.subtree_ids(clothing.id)) == {clothing.id, socks.id, wool.id, hats.id}


def test_a_loop_of_parents_does_not_hang_the_shop():
    first, second = builders.category("One"), builders.category("Two")
    Category.objects.filter(pk=first.pk).update(parent=second)
    Category.objects.filter(pk=second.pk).update(parent=first)
    found = read_category_tree()
    assert len(found.path(first.id)) == 2
    assert set(found.subtree_ids(first.id)) == {first.id, second.id}
