"""What shoppers type, made plain, and what English does to the words in it."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

LONGEST = 200  # characters of a search that are read
MOST_WORDS = 20  # of a search that are looked for


def _read_list(words: str) -> frozenset[str]:
    return frozenset(words.split())


# What PostgreSQL's text search in English passes over.
IDLE = _read_list(
    """
    i me my myself we our ours ourselves you your yours yourself yourselves he him his himself she her hers
    herself it its itself they them their theirs themselves what which who whom this that these those am is
    are was were be been being have has had having do does did doing a an the and but if or because as until
    while of at by for with about against between into through during before after above below to from up down
    in out on off over under again further then once here there when where why how all any both each few more
    most other some such no nor not only own same so than too very s t can will just don should now
    """
)
# Said of nearly anything one may want: they count where a thing is called so, and never alone among other words.
FILLERS = _read_list(
    """
    any anyone anything best buy buying cheap cheapest cool filler fillers find get gift gifts give giving good
    great idea ideas item items like lovely looking need new nice online order perfect please present presents
    product products purchase search shop shopping show somebody someone something stuff suitable thing things
    unusual want wanted
    """
)
# Whom a thing is for says less than what it is: “mens umbrella” is an umbrella first.
PEOPLE = _read_list(
    """
    adult adults baby babies boy boys boyfriend brother child childs children childrens dad daddy daughter dads father
    fathers friend friends girl girls girlfriend grandad grandma granny her him husband kid kids ladies lady man men
    mens mother mothers mum mums mummy parents people sister son teacher toddler toddlers wife woman women womens
    """
)
# What the stemmer of PostgreSQL cannot know to be one word, and the two names everybody has for children.
_FAMILIES = (
    ("child", "children", "kid"),
    ("calf", "calves"),
    ("elf", "elves"),
    ("foot", "feet"),
    ("goose", "geese"),
    ("half", "halves"),
    ("hoof", "hooves"),
    ("knife", "knives"),
    ("leaf", "leaves"),
    ("life", "lives"),
    ("loaf", "loaves"),
    ("man", "men"),
    ("mouse", "mice"),
    ("scarf", "scarves"),
    ("shelf", "shelves"),
    ("thief", "thieves"),
    ("tooth", "teeth"),
    ("wife", "wives"),
    ("wolf", "wolves"),
    ("woman", "women"),
)
_FAMILY_OF: dict[str, tuple[str, ...]] = {member: family for family in _FAMILIES for member in family}
_APOSTROPHES = re.compile("['’‘`´]")
_PIECES = re.compile(r'(?P<no>(?<!\S)-(?=["\w]))?(?:"(?P<phrase>[^"]*)"|(?P<chunk>[^\s"]+))')
_WORD = re.compile(r"[^\W_]+")


@dataclass
class Wanted:
    """Words that all have to be there, phrases too, and what must not."""

    words: list[str] = field(default_factory=list)
    phrases: list[list[str]] = field(default_factory=list)
    excluded: list[list[str]] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.words or self.phrases or self.excluded)


def normalize_search_text(text: str) -> str:
    """Lower case, without accents and what PostgreSQL cannot take, at a bounded length."""
    kept = unicodedata.normalize("NFKD", text.replace("\x00", " ")[:LONGEST]).casefold()
    return " ".join("".join(letter for letter in kept if not unicodedata.combining(letter)).split())


def split_words(text: str) -> list[str]:
    """“Sue’s t-light” is sues, t and light: as the index has them, see `shop.catalog.listing`."""
    return _WORD.findall(_APOSTROPHES.sub("", text))


def read_options(text: str) -> list[Wanted]:
    """What is asked for, in a text that `plain` made: one of several, where it says “or”."""
    options, left = [Wanted()], MOST_WORDS
    for excludes, is_phrase, words in _read_pieces(text):
        if words == ["or"] and not is_phrase:
            options.append(Wanted())
        else:
            _add_piece(options[-1], words[:left], excludes=excludes, is_phrase=is_phrase)
            left -= len(words[:left])
    return [wanted for wanted in options if wanted]


def _read_pieces(text: str) -> Iterator[tuple[bool, bool, list[str]]]:
    for piece in _PIECES.finditer(text):
        words = split_words(piece["phrase"] or piece["chunk"] or "")
        if words:
            yield piece["no"] is not None, piece["phrase"] is not None, words


def _add_piece(wanted: Wanted, words: list[str], *, excludes: bool, is_phrase: bool) -> None:
    if words and excludes:
        wanted.excluded.append(words)
    elif words and is_phrase:
        wanted.phrases.append(words)
    else:
        wanted.words += words


def collect_words(options: Iterable[Wanted]) -> list[str]:
    """Every word of a search that may be written in another way, each once."""
    runs = [run for wanted in options for run in (wanted.words, *wanted.excluded)]
    return list(dict.fromkeys(word for run in runs for word in run))


def drop_fillers(words: Sequence[str]) -> list[str]:
    """What is left to look for; all of it, where nothing would be."""
    return [word for word in words if word not in FILLERS] or list(words)


def get_forms(word: str) -> tuple[str, ...]:
    """The word, and what else it is called that its stem does not show."""
    family = _FAMILY_OF.get(word) or _FAMILY_OF.get(word.removesuffix("s"), ())
    return tuple(dict.fromkeys((word, *family)))
