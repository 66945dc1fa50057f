"""A page as a still picture of itself, for a frame: links lead nowhere, buttons rest, and no script runs.

What a switch changes is left as it is, set apart and outlined; there the frame's sandbox keeps links from leading
anywhere.
"""

from collections.abc import Collection

from bs4 import BeautifulSoup, Tag

PREVIEW_ID = "previewed"  # the id that the frame scrolls to


def find_marked_sections(html: str, purposes: Collection[str]) -> list[str]:
    """The parts of a page that these switches change, those with anything in them."""
    return [str(each) for each in _select_sections(_parse_html(html), purposes) if _is_filled(each)]


def freeze_page(html: str, *, purposes: Collection[str], nothing: str) -> str:
    """`purposes`: the switches in question. `nothing`: what is said where they would show something but do not."""
    page = _parse_html(html)
    marked = _select_sections(page, purposes)
    for section in marked:
        if _is_filled(section):
            section.wrap(_make_outline(page))
        else:
            section.replace_with(_make_outline(page, nothing))
    if not marked and page.main:
        page.main.insert(0, _make_outline(page, nothing))
    _disable_controls(page)
    if page.head:  # what is left of the links would open elsewhere, which the sandbox forbids
        page.head.insert(0, page.new_tag("base", target="_blank"))
    return str(page)


def has_own_section(html: str) -> bool:
    """Whether a mail has a part with a heading of its own, which a switch adds."""
    return _parse_html(html).h2 is not None


def freeze_mail(html: str, *, nonce: str, above: str, is_part: bool) -> str:
    """A mail, its styles gathered into one sheet, since the shop's pages allow none on the elements themselves.

    `above` is put over it: a piece of HTML of our own. `is_part`: the switch adds that part, not the mail.
    """
    mail = _parse_html(html)
    for link in mail.select("a[href]"):
        del link["href"]
    [marked] = mail.select("h2", limit=1) if is_part else mail.select("body")
    marked["id"] = PREVIEW_ID
    [body], [sheet] = mail.select("body"), mail.select("head > style")
    body["tabindex"] = "0"
    body.insert(0, _parse_html(above))
    sheet["nonce"] = nonce
    sheet.insert(0, _gather_styles(mail))
    return str(mail)


def _parse_html(html: str) -> BeautifulSoup:
    return BeautifulSoup(html, "html.parser")


def _select_sections(page: BeautifulSoup, purposes: Collection[str]) -> list[Tag]:
    sections = page.select("section[data-purpose]")
    return [each for each in sections if not set(str(each["data-purpose"]).split()).isdisjoint(purposes)]


def _is_filled(section: Tag) -> bool:
    return bool(section.decode_contents().strip())


def _make_outline(page: BeautifulSoup, words: str = "") -> Tag:
    outline = page.new_tag("div", attrs={"class": "previewed", "id": PREVIEW_ID})
    if words:
        outline.append(page.new_tag("p", string=words))
    return outline


def _disable_controls(page: BeautifulSoup) -> None:
    """Outside of what is outlined. The main part can be reached by keyboard, to scroll it."""
    for script in page.select("script:not(.previewed *)"):
        script.decompose()
    for link in page.select("a[href]:not(.previewed *)"):
        del link["href"]
    for control in page.select(":is(button, input, select, textarea):not(.previewed *)"):
        control["disabled"] = ""
    for main in page.select('main[tabindex="-1"]'):
        main["tabindex"] = "0"


def _gather_styles(mail: BeautifulSoup) -> str:
    """The rules of a sheet for what stood on the elements, which from now on carry a number each."""
    numbers: dict[str, int] = {}
    for each in mail.select("[style]"):
        each["data-s"] = str(numbers.setdefault(str(each.attrs.pop("style")), len(numbers)))
    return "\n".join(["", *(f'[data-s="{number}"] {{ {rule} }}' for rule, number in numbers.items())])
