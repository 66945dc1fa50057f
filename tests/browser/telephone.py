"""A page on a telephone, read and gone through with the keys alone."""

from playwright.sync_api import Page

from tests.backoffice.test_in_browser import check_readable
from tests.browser.test_access import PHONE, check
from tests.browser.visitor import Visitor

LONGEST_ROUND = 300
# What has the focus, by its name, and whether anything shows it: a ring round itself, its label or what holds it.
FOCUSED = """() => {
  const it = document.activeElement;
  if (!it || it === document.body) return null;
  const ringed = (each) => each && getComputedStyle(each).outlineStyle !== "none"
    && parseFloat(getComputedStyle(each).outlineWidth) > 0;
  const box = it.getBoundingClientRect();
  const isInSight = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
  const name = (it.ariaLabel || it.labels?.[0]?.innerText || it.innerText || it.name || it.tagName).trim();
  return [name.slice(0, 60), [it, it.labels?.[0], it.parentElement].some(ringed), isInSight];
}"""


def check_on_telephone(visitor: Visitor, name: str) -> None:
    """Nothing for axe to find, nothing off the side, and the keys show where they are all the way down."""
    if visitor.path.startswith("/admin/"):
        visitor.page.set_viewport_size(PHONE)
        check_readable(visitor.page)
    else:
        check(visitor.page, name)
    lost = find_lost_focus(visitor.page)
    assert lost == [], f"{name}: the focus is not seen on {lost}"


def find_lost_focus(page: Page) -> list[str]:
    """What the Tab key reaches without a ring to be seen, from the page's top to its end.

    A field of a date has several stops, the last of them a button of the browser's own.
    """
    seen: dict[str, bool] = {}
    page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
    for _ in range(LONGEST_ROUND):
        page.keyboard.press("Tab")
        found = page.evaluate(FOCUSED)
        if found is None:
            assert seen, "the keys reach nothing"
            return [name for name, is_shown in seen.items() if not is_shown]
        name, is_ringed, is_in_sight = found
        seen[name] = seen.get(name, False) or (is_ringed and is_in_sight)
    raise AssertionError(f"the keys do not come to an end on {page.url}")
