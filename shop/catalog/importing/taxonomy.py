"""The categories and makers an import meets: found by name, made when new, remembered for the rest of the run."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from functools import partial

from shop.catalog.importing.reading import MAKER_COLUMNS, read_slug
from shop.catalog.models import Category, Maker
from shop.spelling import make_spelling_key

LONGEST = 80


class CategoriesAndMakers:
    def __init__(self) -> None:
        categories = list(Category.objects.all())
        makers = list(Maker.objects.all())
        self.categories = {(each.parent_id, make_spelling_key(each.name)): each.id for each in categories}
        self.makers = {make_spelling_key(each.name): each.id for each in makers}
        self.category_slugs = {each.slug for each in categories}
        self.maker_slugs = {each.slug for each in makers}
        self.made: list[Callable[[], object]] = []

    def category(self, path: tuple[str, ...]) -> int:
        """“Clothing > Socks”, from the top. A single name also finds a category further down, if only one has it."""
        if len(path) == 1 and (None, make_spelling_key(path[0])) not in self.categories:
            anywhere = [found for (_, name), found in self.categories.items() if name == make_spelling_key(path[0])]
            if len(anywhere) == 1:
                return anywhere[0]
        parent_id: int | None = None
        for name in path:
            parent_id = self._get_or_create_one(parent_id, name)
        assert parent_id is not None  # noqa: S101  (a path has at least one name)
        return parent_id

    def maker(self, name: str) -> int | None:
        if not name:
            return None
        key = make_spelling_key(name)
        if key not in self.makers:
            slug = _reserve_slug(read_slug(name, longest=LONGEST), self.maker_slugs)
            self.makers[key] = Maker.objects.create(name=name, slug=slug).id
            self.made += [partial(self.makers.pop, key, None), partial(self.maker_slugs.discard, slug)]
        return self.makers[key]

    def describe_makers(self, told: Iterable[tuple[str, Mapping[str, str]]]) -> None:
        """Name and details, as rows give them; the last row that says something of a maker is believed."""
        wanted: dict[int, dict[str, str]] = defaultdict(dict)
        for name, details in told:
            if (maker_id := self.maker(name)) is not None and details:
                wanted[maker_id] |= details
        makers = list(Maker.objects.filter(pk__in=wanted))
        for maker in makers:
            for field, text in wanted[maker.pk].items():
                setattr(maker, field, text)
        Maker.objects.bulk_update(makers, tuple(MAKER_COLUMNS))

    def keep(self) -> None:
        """The batch is written."""
        self.made.clear()

    def forget(self) -> None:
        """The batch was rolled back: so is what it taught."""
        for undo in self.made:
            undo()
        self.made.clear()

    def _get_or_create_one(self, parent_id: int | None, name: str) -> int:
        key = (parent_id, make_spelling_key(name))
        if key not in self.categories:
            slug = _reserve_slug(read_slug(name, longest=LONGEST), self.category_slugs)
            made = Category.objects.create(name=name, slug=slug, parent_id=parent_id, position=len(self.categories))
            self.categories[key] = made.id
            self.made += [partial(self.categories.pop, key, None), partial(self.category_slugs.discard, slug)]
        return self.categories[key]


def _reserve_slug(slug: str, taken: set[str]) -> str:
    number, found = 2, slug
    while found in taken:
        found = f"{slug[: LONGEST - 5]}-{number}"
        number += 1
    taken.add(found)
    return found
