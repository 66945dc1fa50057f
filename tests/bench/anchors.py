"""What speed is measured against, plain Django with session and user: b, one indexed SELECT and a 20 KB page; b2, the
same with 24 product cards, each a partial with its picture, maker and price. Neither grows with the shop."""

from collections.abc import Callable
from functools import cache

from django.conf import settings
from django.db import connection
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.template.backends.django import Template
from django.urls import include, path

from shop.catalog.models import Product

MIDDLEWARE = [
    "tests.bench.anchors.leave_connection_unchecked",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
_PAGE = """<!doctype html><html lang="en"><head><title>{{ title }}</title></head><body>
<header>{% if user.is_authenticated %}{{ user }}{% else %}Sign in{% endif %}</header><main><ul>
{% for product in products %}{% include card %}{% endfor %}</ul>{{ filler }}</main></body></html>"""
_CARD = """<li class="card"><figure><img src="{{ media }}{{ product.card_image }}" alt="{{ product.card_alt }}"
width="320" height="320" loading="lazy"></figure><h3><a href="{% url 'b' product.slug %}">{{ product.title }}</a></h3>
<span class="maker">{{ product.maker.name }}</span>
<p>{{ product.summary|truncatewords:12 }}</p>
<span class="price">{{ product.currency }} {{ product.price_from|floatformat:2 }}</span>
{% if product.is_available %}<span class="in">In stock</span>{% else %}<span class="out">Sold out</span>{% endif %}
{% if product.released_on %}<time>{{ product.released_on|date:"j M Y" }}</time>{% endif %}</li>"""
FILLER = "A line of a page that is as long as most pages are. " * 380  # 20 KB with the rest
CARDS = 24
# As many columns as a plain shop's table has.
SHOWN = ("slug", "title", "summary", "card_image", "card_alt", "currency", "price_from", "is_available", "released_on")


def leave_connection_unchecked(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable:
    """Plain Django asks nothing of a connection before it uses it; the shop does, once a request."""

    def respond(request: HttpRequest) -> HttpResponse:
        connection.ensure_connection()
        connection.health_check_done = True
        return get_response(request)

    return respond


def b(request: HttpRequest, slug: str) -> HttpResponse:
    return _render_page(request, _get_products().filter(slug=slug), filler=FILLER)


def b2(request: HttpRequest, category: int) -> HttpResponse:
    found = _get_products().filter(category_id=category, is_published=True)[:CARDS]
    return _render_page(request, found, filler=FILLER[: len(FILLER) // 2])


def _get_products() -> QuerySet[Product]:
    return Product.objects.select_related("maker").only(*SHOWN, "maker__name").order_by()


def _render_page(request: HttpRequest, products: QuerySet[Product], *, filler: str) -> HttpResponse:
    page, card = _read_templates()
    context = {
        "title": "A page",
        "products": products,
        "card": card,
        "filler": filler,
        "user": request.user,
        "media": settings.MEDIA_URL,
    }
    return HttpResponse(page.render(context))


@cache
def _read_templates() -> tuple[Template, Template]:
    engine = engines["django"]
    return engine.from_string(_PAGE), engine.from_string(_CARD)


urlpatterns = [
    path("b/<slug:slug>/", b, name="b"),
    path("b2/<int:category>/", b2, name="b2"),
    path("", include("shop.urls")),
]
