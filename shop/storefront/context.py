"""What every page's frame needs. Reads the session only where there already is one."""

from typing import Any

from django.http import HttpRequest


def shop(request: HttpRequest) -> dict[str, Any]:
    return {"nav_categories": [], "cart_count": 0}
