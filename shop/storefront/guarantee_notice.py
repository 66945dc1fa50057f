"""The notice of the legal guarantee as pages show it: the official picture, once a shop has put it in, or our own."""

from dataclasses import dataclass

from django.core.files.storage import default_storage

from orders import legal_guarantee
from orders.models import ShopSettings


@dataclass(frozen=True)
class GuaranteeNotice:
    """What `partials/legal_guarantee.html` takes. Without a picture the page draws the notice itself."""

    seller: str
    picture_url: str
    picture_words: str
    years: int = legal_guarantee.LEAST_YEARS
    more_url: str = legal_guarantee.YOUR_EUROPE_URL


def build_notice_for(country: str, settings: ShopSettings) -> GuaranteeNotice | None:
    """None where the law of the buyer's country asks for none."""
    return build_notice(settings) if legal_guarantee.is_notice_due(country) else None


def build_notice(settings: ShopSettings) -> GuaranteeNotice:
    picture = settings.guarantee_picture
    return GuaranteeNotice(
        seller=settings.name,
        picture_url=default_storage.url(picture) if picture else "",
        picture_words=settings.guarantee_words,
    )
