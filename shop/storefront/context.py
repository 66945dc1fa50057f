"""What every page's frame needs. Reads the session only where there already is one.

What the database is asked for is given as functions, which a template calls where it names them: the back office, whose
pages have a frame of their own, asks for none of it.
"""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from accounts.people import guest_session
from orders.carts import COUNT_SESSION_KEY
from shop.storefront import page_cache


def shop(request: HttpRequest) -> dict[str, Any]:
    has_session = settings.SESSION_COOKIE_NAME in request.COOKIES
    return {
        "is_preview": getattr(request, "is_preview", False),  # see shop.storefront.preview
        "current_category": "",  # the slug of the department a page belongs to; its view says
        "nav_categories": lambda: page_cache.get_cached_tree().roots,
        "shop_settings": lambda: (getattr(request, "terms", None) or page_cache.get_cached_terms()).settings,
        "info_pages": page_cache.get_cached_info_pages,
        "head_links": page_cache.get_cached_head_links,
        "header_start": page_cache.get_cached_header_start,
        "foot": page_cache.get_cached_foot,
        "cart_count": request.session.get(COUNT_SESSION_KEY, 0) if has_session else 0,
        "guest_until": guest_session.get_guest_session_end(request) if has_session else None,
    }
