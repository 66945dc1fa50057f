"""What speed is measured against: b, a view with session and user, one indexed SELECT and a 20 KB page; b2, the same
with 24 product cards."""

from functools import cache

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.template.backends.django import Template
from django.urls import include, path

from shop.catalog.models import Product

MIDDLEWARE = [
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
LONG = ("description", "attributes", "search_text", "search_vector", "title_vector")  # what no plain page reads


def b(request: HttpRequest, slug: str) -> HttpResponse:
    return _page(request, Product.objects.filter(slug=slug).defer(*LONG)[:1], filler=FILLER)


def b2(request: HttpRequest, category: int) -> HttpResponse:
    found = Product.objects.filter(category_id=category, is_published=True).defer(*LONG)[:CARDS]
    return _page(request, found, filler=FILLER[: len(FILLER) // 2])


def _page(request: HttpRequest, products: object, *, filler: str) -> HttpResponse:
    context = {"products": products, "filler": filler, "user": request.user, "media": settings.MEDIA_URL}
    return HttpResponse(_template().render(context))


@cache
def _template() -> Template:
    return engines["django"].from_string(_PAGE)


urlpatterns = [
    path("b/<slug:slug>/", b, name="b"),
    path("b2/<int:category>/", b2, name="b2"),
    path("", include("shop.urls")),
]
