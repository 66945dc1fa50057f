"""A visitor with a browser. Whatever they do, the page must not complain, break its own rules or call anybody else."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, Request, Response

from tests.browser.shop_process import Shop
from tests.chromium import follow

ADDRESS = {"Full name": "Pat Reader", "Address": "1 High Street", "City": "Leeds", "Postcode": "LS1 1AA"}
HARMLESS = ("Failed to load resource: the server responded with a status of 4",)  # the answer itself is looked at
TIMEOUT_MS = 30_000


@dataclass
class Visitor:
    shop: Shop
    page: Page
    context: BrowserContext
    problems: list[str] = field(default_factory=list)

    @classmethod
    @contextmanager
    def coming_to(cls, shop: Shop, browser: Browser, **options: Any) -> Iterator["Visitor"]:
        """`options` are the browser's: viewport, color_scheme, java_script_enabled."""
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, "locale": "en-GB", **options})
        context.set_default_timeout(TIMEOUT_MS)
        visitor = cls(shop, context.new_page(), context)
        visitor.listen()
        yield visitor
        context.close()
        assert visitor.problems == []

    def listen(self) -> None:
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.problems.append(f"error on {self.page.url}: {error}"))
        self.page.on("request", self._on_request)
        self.page.on("response", self._on_response)

    # Going about

    def go(self, path: str) -> "Visitor":
        self.page.goto(path if "://" in path else f"{self.shop.url}{path}")
        return self

    def sign_in(self, email: str, *, door: str = "/accounts/login/") -> "Visitor":
        """As somebody of the sample store."""
        return self.go(door).fill("E-mail", email).fill("Password", "say-when-please").press("Sign in")

    def press(self, name: str) -> "Visitor":
        follow(find_named(self.page, "button", name))
        return self

    def click(self, name: str) -> "Visitor":
        follow(self.page.get_by_role("link", name=name, exact=True).first)
        return self

    def fill(self, label: str, value: str) -> "Visitor":
        self.page.get_by_label(label, exact=True).fill(value)
        return self

    def tick(self, *names: str) -> "Visitor":
        for name in names:
            self.page.get_by_role("checkbox", name=name, exact=True).check()
        return self

    def is_ticked(self, name: str) -> bool:
        return self.page.get_by_role("checkbox", name=name, exact=True).is_checked()

    @property
    def words(self) -> str:
        return " ".join(self.page.locator("body").inner_text().split())

    @property
    def path(self) -> str:
        return urlsplit(self.page.url).path

    # What is done again and again

    def put_in_cart(self, slug: str) -> "Visitor":
        return self.go(f"/product/{slug}/").press("Add to cart")

    def fill_in_checkout(self, email: str) -> "Visitor":
        self.click("Cart").press("Check out")
        self.fill("E-mail", email)
        for label, value in ADDRESS.items():
            self.fill(label, value)
        return self

    def pay(self) -> str:
        """From the filled-in page over the payment page to the order's; returns its number."""
        self.press("Continue to payment")
        self.page.wait_for_url(f"{self.shop.origins[1]}/**")
        self.press("Pay")
        self.page.wait_for_url(f"{self.shop.url}/orders/**")
        return self.path.split("/")[2]

    # What must never happen

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not message.text.startswith(HARMLESS):
            self.problems.append(f"{message.type} on {self.page.url}: {message.text}")

    def _on_request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if (
            parts.scheme not in {"data", "blob", "about"}
            and f"{parts.scheme}://{parts.netloc}" not in self.shop.origins
        ):
            self.problems.append(f"{self.page.url} asked {request.url}")

    def _on_response(self, response: Response) -> None:
        if response.status >= 400:
            self.problems.append(f"{response.status} for {response.url}")


def find_named(page: Page, role: str, name: str) -> Locator:
    """By its whole name, or by what stands before a dash: the button that orders goes on to say what one pays."""
    return page.get_by_role(role, name=re.compile(rf"^{re.escape(name)}($| – )")).first  # type: ignore[arg-type]
