"""Some of it is here and some still to come: two parcels, each with its own day, as buyer and staff see them."""

from playwright.sync_api import Locator

from tests.browser.shop_process import Shop
from tests.browser.telephone import check_on_telephone
from tests.browser.test_buying import look_up
from tests.browser.test_calling_off import read_badge
from tests.browser.visitor import Visitor, find_named
from tests.journeys.walks import steps_between

HERE, LATER = "Pint mug", "Lidded butter dish"
FIRST_NUMBER, SECOND_NUMBER = "RA100000051GB", "RA100000065GB"
HAS_COME = f"The {LATER} you wait for is here"


def let_it_be_sold_ahead(staff: Visitor) -> None:
    """Of what is not here, as many as staff say; more come on the day that its page names."""
    staff.go("/admin/catalog/stockrecord/?q=lidded").click(LATER)
    staff.fill("Backorder limit:", "5").press("Save")


def receive_goods(staff: Visitor) -> None:
    staff.go("/admin/catalog/stockrecord/?q=lidded")
    staff.page.locator("input[name=_selected_action]").check()
    staff.page.locator("select[name=action]").select_option(label="Receive")
    staff.press("Go")
    staff.page.locator("input[name$=quantity]").fill("3")
    staff.press("Receive")
    assert "3 received." in staff.words


def buy_in_two(visitor: Visitor) -> str:
    visitor.put_in_cart("pint-mug").put_in_cart("lidded-butter-dish")
    assert "More come" in visitor.words
    visitor.fill_in_checkout("bo@example.com")
    visitor.page.get_by_role("radio", name="In two parcels, each as it is ready").check()
    visitor.page.locator("#summary").get_by_text("two parcels").wait_for()
    check_on_telephone(visitor, "checkout of two parcels")
    return visitor.pay()


def send(staff: Visitor, order: str, tracking_number: str) -> None:
    """The parcel of it whose goods are here."""
    look_up(staff, order)
    for step in steps_between("Start picking", "Mark packed"):
        staff.press(step)
    staff.press("Ship").fill("Tracking number:", tracking_number).press("Ship")
    assert f"Shipped: {order}." in staff.words


def get_story(visitor: Visitor, name: str) -> Locator:
    return visitor.page.get_by_role("region", name=name)


def read_days(visitor: Visitor, name: str) -> list[str]:
    return get_story(visitor, name).locator(".expected").all_inner_texts()


def list_queue(staff: Visitor, queue: str) -> str:
    return staff.go(f"/admin/orders/order/?queue={queue}").words


def test_what_is_here_goes_first_and_the_rest_once_its_goods_have_come(
    visitor: Visitor, staff: Visitor, shop: Shop
) -> None:
    let_it_be_sold_ahead(staff)
    number = buy_in_two(visitor)
    look_up(staff, number)
    staff.press("Approve")
    visitor.page.reload()
    first, second = "Parcel 1 of 2", "Parcel 2 of 2"
    assert HERE in get_story(visitor, first).inner_text()
    assert LATER in get_story(visitor, second).inner_text()
    days = read_days(visitor, second)
    assert len({*read_days(visitor, first), *days}) == 4  # each leaves and comes on days of its own
    check_on_telephone(visitor, "an order in two parcels")
    assert number in list_queue(staff, "backordered")

    send(staff, number, FIRST_NUMBER)
    visitor.page.reload()
    assert read_badge(visitor) == "Partly on its way"
    assert FIRST_NUMBER in get_story(visitor, first).inner_text()
    assert f"Still to come: {LATER}, with you" in visitor.words
    check_on_telephone(visitor, "an order of which some has left")
    look_up(staff, number)
    assert not find_named(staff.page, "button", "Start picking").count()

    receive_goods(staff)
    visitor.page.reload()
    assert HAS_COME in get_story(visitor, second).inner_text()
    assert HAS_COME not in get_story(visitor, first).inner_text()
    assert read_days(visitor, second) != days  # it comes sooner now
    assert number not in list_queue(staff, "backordered")
    assert number in list_queue(staff, "pick")

    send(staff, number, SECOND_NUMBER)
    visitor.page.reload()
    assert read_badge(visitor) == "On its way"
    assert SECOND_NUMBER in get_story(visitor, second).inner_text()
    look_up(staff, number)
    staff.press("Mark delivered")
    visitor.page.reload()
    assert read_badge(visitor) == "Delivered"
    check_on_telephone(visitor, "an order that came in two parcels")
