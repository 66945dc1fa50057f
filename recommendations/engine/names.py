"""What a title says a thing is: its kind, and the words that tell it from others of that kind. English titles.

“Red retrospot charlotte bag” is a bag, and so is “Lunch bag, cars”. Colours, sizes, counts and materials say nothing
of what a thing is for.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

_QUALIFIERS = """
    red blue green pink white black ivory cream yellow orange purple violet brown grey gray silver gold golden clear
    lilac mint turquoise teal beige amber navy rust oat tan burgundy charcoal khaki coral natural colour color coloured
    colored multicolour multicoloured light dark
    small medium large big tall short long wide narrow midi size sized xs xl xxl regular standard
    half quarter single double triple twin duo trio multipack refill spare extra assorted asstd mixed various
    one two three four five six seven eight nine ten dozen
    set pack pair pc pcs piece each per kg mg ml cl cm mm oz lb lbs litre liter inch
    wooden woollen antique vintage retro classic new
    the and with for design style finish pattern print edition colourway version no number
"""
_MATERIALS = "wood metal glass ceramic paper enamel wool cotton linen leather plastic zinc wicker felt"
_LEFT_OUT, _LEFT_OUT_BEFORE = frozenset(_QUALIFIERS.split()), frozenset(_MATERIALS.split())
_COUNTED = re.compile(r"^(?:\d+\W*)?(?:set|pack|box|pair|tin|bottle|jar|bag|tube|roll)s?\W*(?:of\W*|/)\d*\W*")
_TAIL = re.compile(r",|\(|/| [-–—] | (?:with|in|for|on|to|of|from|by) ")  # what follows says more of it, not what it is
_WORD = re.compile(r"[^\W\d_]+")
_LEAST_SHARE, _AGAINST_FIRST, _LEAST_KINDS = 0.3, 1.5, 3


@dataclass(frozen=True)
class Name:
    """A title, read. `head`: the words of what it is, the kind last where English has it; `words`: all that tell."""

    head: tuple[str, ...]
    words: frozenset[str]


@lru_cache(maxsize=20_000)
def read_name(title: str) -> Name:
    """Neither part is ever empty: a title of qualifiers alone is its own name."""
    plain = re.sub(r"['’]s?\b", "", title.lower()).replace("t-light", "tealight")
    counted = _COUNTED.sub("", plain) or plain
    heads = (_content(part) for part in _TAIL.split(counted))
    words = _content(counted) or (plain,)
    return Name(next(filter(None, heads), words), frozenset(words))


def _content(text: str) -> tuple[str, ...]:
    """The words that tell. A material does where it comes last: a wine glass is a glass, a glass bowl is a bowl."""
    whole = (_singular(word) for word in _WORD.findall(text) if word not in _LEFT_OUT and len(word) > 1)
    words = [word for word in whole if word not in _LEFT_OUT]
    return tuple(word for word in words[:-1] if word not in _LEFT_OUT_BEFORE) + tuple(words[-1:])


def _singular(word: str) -> str:
    if len(word) > 4 and word.endswith("ies"):
        return f"{word[:-3]}y"
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def is_same_thing(one: Name, other: Name) -> bool:
    """The same but for colour, size, count or material."""
    return one.words == other.words


def is_same_kind(one: Name, other: Name, kinds: "Kinds | None" = None) -> bool:
    """Both called alike, or the same sort of thing in another make. `kinds`: what the shop's titles tell, if known."""
    shared = len(one.words & other.words)
    if shared > 1 and 2 * shared >= min(len(one.words), len(other.words)):
        return True
    return one.head[-1] == other.head[-1] or (kinds is not None and kinds.of(one) == kinds.of(other))


class Kinds:
    """Which words name kinds of things, learnt from all titles of a shop: they end titles, after several others.

    So “lunch bag spaceboy” is a bag, though it ends in what is printed on it.
    """

    def __init__(self, titles: Iterable[str]) -> None:
        anywhere: Counter[str] = Counter()
        first: Counter[str] = Counter()
        last: Counter[str] = Counter()
        before: defaultdict[str, set[str]] = defaultdict(set)
        for name in {read_name(title) for title in titles}:
            anywhere.update(set(name.head))
            last[name.head[-1]] += 1
            if len(name.head) > 1:
                first[name.head[0]] += 1
                before[name.head[-1]].add(name.head[-2])
        self._kinds = {
            word
            for word, count in last.items()
            if count >= _LEAST_SHARE * anywhere[word]
            and 2 * count > 3 * first[word]
            and len(before[word]) >= _LEAST_KINDS
        }

    def of(self, name: Name) -> str:
        """The last word of the title that names a kind; its last word where none does."""
        return next((word for word in reversed(name.head) if word in self._kinds), name.head[-1])
