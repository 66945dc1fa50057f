"""The hosted payment page, and what its buttons do."""

from dataclasses import dataclass
from html import escape
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from shop.local.stripe import checkout, money, payments
from shop.local.stripe.account import Account
from shop.local.stripe.payments import Outcome
from shop.local.stripe.store import Stored

_FOLDER = Path(__file__).parent / "page"
_DECLINED = "Your card was declined."
_NOT_AUTHENTICATED = "The bank could not authenticate you. Nothing was charged; try another way."


@dataclass(frozen=True)
class Page:
    status: int
    body: bytes = b""
    content_type: str = "text/html; charset=utf-8"
    location: str | None = None
    # A form's answer may send the buyer back to the shop, which is another origin.
    form_targets: tuple[str, ...] = ()


def style() -> Page:
    return Page(200, (_FOLDER / "page.css").read_bytes(), "text/css; charset=utf-8")


def show(account: Account, session_id: str) -> Page:
    stored = _session(account, session_id)
    if stored is None:
        return _notice(404, "No such payment", "This address belongs to no payment we know of.")
    return _state(account, stored)


def show_authentication(account: Account, session_id: str) -> Page:
    stored = _session(account, session_id)
    if stored is None or stored.body["status"] != "open" or not payments.challenged(account, stored):
        return show(account, session_id)
    return _challenge(account, stored)


def act(account: Account, session_id: str, encoded: str) -> Page:
    stored = _session(account, session_id)
    if stored is None:
        return show(account, session_id)
    fields = {name: values[-1] for name, values in parse_qs(encoded).items()}
    email = fields.get("email") or None
    action = fields.get("action")
    if action == "back":
        return _go_back(account, stored)
    if action == "pay":
        outcome = payments.pay(account, session_id, email=email)
    elif action == "pay-by-debit":
        outcome = payments.pay_by_debit(account, session_id, email=email)
    elif action == "decline":
        outcome = payments.decline(account, session_id, email=email)
    elif action == "require-authentication":
        outcome = payments.challenge(account, session_id, email=email)
    elif action in ("authenticate", "fail-authentication"):
        outcome = payments.authenticate(account, session_id, passed=action == "authenticate")
    else:
        return _notice(400, "Nothing was done", "The page sent an answer we do not know.")
    return _after(account, session_id, outcome)


def _after(account: Account, session_id: str, outcome: Outcome) -> Page:
    stored = _session(account, session_id)
    if stored is None:
        return show(account, session_id)
    if outcome in (Outcome.PAID, Outcome.PROCESSING, Outcome.ALREADY_PAID):
        return Page(303, location=_success_url(stored.body))
    if outcome is Outcome.CHALLENGED:
        return Page(303, location=f"/c/pay/{session_id}/authenticate")
    if outcome is Outcome.DECLINED:
        return _open(account, stored, alert=_DECLINED)
    if outcome is Outcome.NOT_AUTHENTICATED and stored.body["status"] == "open":
        return _open(account, stored, alert=_NOT_AUTHENTICATED)
    return _state(account, stored)


def _go_back(account: Account, stored: Stored) -> Page:
    cancel_url = stored.body["cancel_url"]
    return Page(303, location=cancel_url) if cancel_url else _state(account, stored)


def _session(account: Account, session_id: str) -> Stored | None:
    with account.store.transaction():
        if account.store.find(session_id, "checkout.session") is None:
            return None
        return checkout.fetch(account, session_id)


def _state(account: Account, stored: Stored) -> Page:
    session = stored.body
    if session["status"] == "complete":
        link = _link(_success_url(session), "Back to the shop")
        return _notice(200, "This is paid already", "You paid for this order; nothing more is due.", link)
    if session["status"] == "expired":
        link = _link(session["cancel_url"], "Back to the shop")
        return _notice(200, "This payment has expired", "The time to pay ran out. Nothing was charged.", link)
    return _open(account, stored)


def _open(account: Account, stored: Stored, *, alert: str = "") -> Page:
    session = stored.body
    business = escape(account.options.business_name)
    content = _template("pay.html").substitute(
        business=business,
        total=_amount(session, session["amount_total"]),
        alert=f'<p class="alert" role="alert">{escape(alert)}</p>' if alert else "",
        lines="".join(_line(item) for item in account.store.children(session["id"], "item")),
        sums=_sums(session),
        email=_email(session),
        action=_action(session),
        back=_template("back.html").substitute(action=_action(session)) if session["cancel_url"] else "",
    )
    return _page(200, f"Pay {business}", content, session)


def _challenge(account: Account, stored: Stored) -> Page:
    session = stored.body
    content = _template("authenticate.html").substitute(
        business=escape(account.options.business_name),
        total=_amount(session, session["amount_total"]),
        action=_action(session),
    )
    return _page(200, "Authenticate this payment", content, session)


def _notice(status: int, title: str, text: str, link: str = "") -> Page:
    content = _template("notice.html").substitute(title=escape(title), text=escape(text), link=link)
    return _page(status, escape(title), content, {})


def _page(status: int, title: str, content: str, session: dict[str, Any]) -> Page:
    body = _template("base.html").substitute(title=title, content=content)
    targets = (session.get("success_url"), session.get("cancel_url"))
    origins = dict.fromkeys(_origin(url) for url in targets if url)
    return Page(status, body.encode(), form_targets=tuple(origins))


def _template(name: str) -> Template:
    return Template((_FOLDER / name).read_text(encoding="utf-8"))


def _line(item: dict[str, Any]) -> str:
    each = f"{item['quantity']} at {_amount(item, item['price']['unit_amount'])}"
    return _template("line.html").substitute(
        name=escape(item["description"]),
        each=f'<span class="each muted">{each}</span>' if item["quantity"] > 1 else "",
        amount=_amount(item, item["amount_total"]),
    )


def _sums(session: dict[str, Any]) -> str:
    rows = []
    if session["shipping_cost"]:
        rows.append(("Subtotal", session["amount_subtotal"]))
        rows.append(("Delivery", session["shipping_cost"]["amount_total"]))
    return "".join(f"<div><dt>{name}</dt><dd>{_amount(session, amount)}</dd></div>" for name, amount in rows)


def _email(session: dict[str, Any]) -> str:
    if session["customer_email"]:
        return f'<p class="for">For <strong>{escape(session["customer_email"])}</strong></p>'
    return _template("email.html").substitute()


def _amount(priced: dict[str, Any], amount: int) -> str:
    return escape(money.words(amount, priced["currency"]))


def _action(session: dict[str, Any]) -> str:
    return f"/c/pay/{quote(session['id'])}"


def _success_url(session: dict[str, Any]) -> str:
    url: str = session["success_url"]
    return url.replace("{CHECKOUT_SESSION_ID}", session["id"])


def _link(url: str | None, words: str) -> str:
    return f'<a class="button" href="{escape(url)}">{escape(words)}</a>' if url else ""


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
