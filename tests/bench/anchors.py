"""What speed is measured against, plain Django with session and user: b, one indexed SELECT and a 20 KB page; b2, the
same with 24 product cards. Neither grows with the shop."""

from collections.abc import Callable
from functools import cache

from django.conf import settings
from django.db import connection
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
_PAGE = """<!doctype html><html lang="en"><head><title>{{ product.title }}</title></head><body>
<header>{% if user.is_authenticated %}{{ user }}{% else %}Sign in{% endif %}</header><main>
{% for product in products %}<li class="card"><figure><img src="{{ media }}{{ product.card_image }}"
alt="{{ product.card_alt }}" width="320" height="320"></figure><h3><a href="{% url 'b' product.slug %}">
{{ product.title }}</a></h3><p>{{ product.summary }}</p><span class="price">{{ product.currency }}
{{ product.price_from }}</span></li>{% endfor %}{{ filler }}</main></body></html>"""
FILLER = "A line of a page that is as long as most pages are. " * 380  # 20 KB with the rest
CARDS = 24
SHOWN = ("slug", "title", "summary", "card_image", "card_alt", "currency", "price_from")


def leave_connection_unchecked(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable:
    """Plain Django asks nothing of a connection before it uses it; the shop does, once a request."""

    def respond(request: HttpRequest) -> HttpResponse:
        connection.ensure_connection()
        connection.health_check_done = True
        return get_response(request)

    return respond


def b(request: HttpRequest, slug: str) -> HttpResponse:
    return _render_page(request, Product.objects.filter(slug=slug), filler=FILLER)


def b2(request: HttpRequest, category: int) -> HttpResponse:
    found = Product.objects.filter(category_id=category, is_published=True).order_by()[:CARDS]
    return _render_page(request, found, filler=FILLER[: len(FILLER) // 2])


def _render_page(request: HttpRequest, products: object, *, filler: str) -> HttpResponse:
    context = {"products": products.only(*SHOWN), "filler": filler, "user": request.user, "media": settings.MEDIA_URL}
    return HttpResponse(_template().render(context))


@cache
def _template() -> Template:
    return engines["django"].from_string(_PAGE)


urlpatterns = [
    path("b/<slug:slug>/", b, name="b"),
    path("b2/<int:category>/", b2, name="b2"),
    path("", include("shop.urls")),
]
