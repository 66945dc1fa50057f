"""The hosted payment page, and what its buttons do."""

from dataclasses import dataclass
from html import escape
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from shop.local.stripe import checkout, money, payments
from shop.local.stripe.account import StripeAccount
from shop.local.stripe.payments import PaymentOutcome
from shop.local.stripe.store import StoredObject

_FOLDER = Path(__file__).parent / "page"
_DECLINED = "Your card was declined."
_NOT_AUTHENTICATED = "The bank could not authenticate you. Nothing was charged; try another way."


@dataclass(frozen=True)
class HostedPage:
    status: int
    body: bytes = b""
    content_type: str = "text/html; charset=utf-8"
    location: str | None = None
    # A form's answer may send the buyer back to the shop, which is another origin.
    form_targets: tuple[str, ...] = ()


def serve_style() -> HostedPage:
    return HostedPage(200, (_FOLDER / "page.css").read_bytes(), "text/css; charset=utf-8")


def show_payment_page(account: StripeAccount, session_id: str) -> HostedPage:
    stored = _find_session(account, session_id)
    if stored is None:
        return _render_notice(404, "No such payment", "This address belongs to no payment we know of.")
    return _show_state(account, stored)


def show_authentication(account: StripeAccount, session_id: str) -> HostedPage:
    stored = _find_session(account, session_id)
    if stored is None or stored.body["status"] != "open" or not payments.is_challenged(account, stored):
        return show_payment_page(account, session_id)
    return _render_challenge(account, stored)


def handle_click(account: StripeAccount, session_id: str, encoded: str) -> HostedPage:
    stored = _find_session(account, session_id)
    if stored is None:
        return show_payment_page(account, session_id)
    fields = {name: values[-1] for name, values in parse_qs(encoded).items()}
    email = fields.get("email") or None
    action = fields.get("action")
    if action == "back":
        return _redirect_back(account, stored)
    if action == "pay":
        outcome = payments.pay_session(account, session_id, email=email)
    elif action == "pay-by-debit":
        outcome = payments.pay_session_by_debit(account, session_id, email=email)
    elif action == "decline":
        outcome = payments.decline_payment(account, session_id, email=email)
    elif action == "require-authentication":
        outcome = payments.challenge_payment(account, session_id, email=email)
    elif action in ("authenticate", "fail-authentication"):
        outcome = payments.authenticate_payment(account, session_id, passed=action == "authenticate")
    else:
        return _render_notice(400, "Nothing was done", "The page sent an answer we do not know.")
    return _respond_to_outcome(account, session_id, outcome)


def _respond_to_outcome(account: StripeAccount, session_id: str, outcome: PaymentOutcome) -> HostedPage:
    stored = _find_session(account, session_id)
    if stored is None:
        return show_payment_page(account, session_id)
    if outcome in (PaymentOutcome.PAID, PaymentOutcome.PROCESSING, PaymentOutcome.ALREADY_PAID):
        return HostedPage(303, location=_build_success_url(stored.body))
    if outcome is PaymentOutcome.CHALLENGED:
        return HostedPage(303, location=f"/c/pay/{session_id}/authenticate")
    if outcome is PaymentOutcome.DECLINED:
        return _render_open_session(account, stored, alert=_DECLINED)
    if outcome is PaymentOutcome.NOT_AUTHENTICATED and stored.body["status"] == "open":
        return _render_open_session(account, stored, alert=_NOT_AUTHENTICATED)
    return _show_state(account, stored)


def _redirect_back(account: StripeAccount, stored: StoredObject) -> HostedPage:
    cancel_url = stored.body["cancel_url"]
    return HostedPage(303, location=cancel_url) if cancel_url else _show_state(account, stored)


def _find_session(account: StripeAccount, session_id: str) -> StoredObject | None:
    with account.store.transaction():
        if account.store.find(session_id, "checkout.session") is None:
            return None
        return checkout.get_current_session(account, session_id)


def _show_state(account: StripeAccount, stored: StoredObject) -> HostedPage:
    session = stored.body
    if session["status"] == "complete":
        link = _render_link(_build_success_url(session), "Back to the shop")
        return _render_notice(200, "This is paid already", "You paid for this order; nothing more is due.", link)
    if session["status"] == "expired":
        link = _render_link(session["cancel_url"], "Back to the shop")
        return _render_notice(200, "This payment has expired", "The time to pay ran out. Nothing was charged.", link)
    return _render_open_session(account, stored)


def _render_open_session(account: StripeAccount, stored: StoredObject, *, alert: str = "") -> HostedPage:
    session = stored.body
    business = escape(account.options.business_name)
    content = _load_template("pay.html").substitute(
        business=business,
        total=_format_escaped_amount(session, session["amount_total"]),
        alert=f'<p class="alert" role="alert">{escape(alert)}</p>' if alert else "",
        lines="".join(_render_line(item) for item in account.store.children(session["id"], "item")),
        sums=_render_sums(session),
        email=_render_email_field(session),
        action=_build_action_url(session),
        back=_load_template("back.html").substitute(action=_build_action_url(session)) if session["cancel_url"] else "",
    )
    return _render_base(200, f"Pay {business}", content, session)


def _render_challenge(account: StripeAccount, stored: StoredObject) -> HostedPage:
    session = stored.body
    content = _load_template("authenticate.html").substitute(
        business=escape(account.options.business_name),
        total=_format_escaped_amount(session, session["amount_total"]),
        action=_build_action_url(session),
    )
    return _render_base(200, "Authenticate this payment", content, session)


def _render_notice(status: int, title: str, text: str, link: str = "") -> HostedPage:
    content = _load_template("notice.html").substitute(title=escape(title), text=escape(text), link=link)
    return _render_base(status, escape(title), content, {})


def _render_base(status: int, title: str, content: str, session: dict[str, Any]) -> HostedPage:
    body = _load_template("base.html").substitute(title=title, content=content)
    targets = (session.get("success_url"), session.get("cancel_url"))
    origins = dict.fromkeys(_get_origin(url) for url in targets if url)
    return HostedPage(status, body.encode(), form_targets=tuple(origins))


def _load_template(name: str) -> Template:
    return Template((_FOLDER / name).read_text(encoding="utf-8"))


def _render_line(item: dict[str, Any]) -> str:
    each = f"{item['quantity']} at {_format_escaped_amount(item, item['price']['unit_amount'])}"
    return _load_template("line.html").substitute(
        name=escape(item["description"]),
        each=f'<span class="each muted">{each}</span>' if item["quantity"] > 1 else "",
        amount=_format_escaped_amount(item, item["amount_total"]),
    )


def _render_sums(session: dict[str, Any]) -> str:
    rows = []
    if session["shipping_cost"]:
        rows.append(("Subtotal", session["amount_subtotal"]))
        rows.append(("Delivery", session["shipping_cost"]["amount_total"]))
    return "".join(
        f"<div><dt>{name}</dt><dd>{_format_escaped_amount(session, amount)}</dd></div>" for name, amount in rows
    )


def _render_email_field(session: dict[str, Any]) -> str:
    if session["customer_email"]:
        return f'<p class="for">For <strong>{escape(session["customer_email"])}</strong></p>'
    return _load_template("email.html").substitute()


def _format_escaped_amount(priced: dict[str, Any], amount: int) -> str:
    return escape(money.format_minor_amount(amount, priced["currency"]))


def _build_action_url(session: dict[str, Any]) -> str:
    return f"/c/pay/{quote(session['id'])}"


def _build_success_url(session: dict[str, Any]) -> str:
    url: str = session["success_url"]
    return url.replace("{CHECKOUT_SESSION_ID}", session["id"])


def _render_link(url: str | None, words: str) -> str:
    return f'<a class="button" href="{escape(url)}">{escape(words)}</a>' if url else ""


def _get_origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
