"""Category and search pages: a list of cards, facets beside it."""

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from shop.catalog.filters import Filters, Sort
from shop.catalog.search import SearchResults
from shop.catalog.search import search_products as find
from shop.storefront import consent_prompts, list_query, page_cache, shelves
from shop.storefront.consent_prompts import PromptPlace
from shop.storefront.list_query import ListQuery


@require_safe
def category(request: HttpRequest, slug: str) -> HttpResponse:
    tree = page_cache.get_cached_tree()
    branch = tree.by_slug.get(slug)
    if branch is None:
        raise Http404
    asked = list_query.read_list_query(request.GET, tree, category=branch, default=Sort.NAME)
    scope = asked.scope(tree)
    known = None if asked.is_narrowed else page_cache.get_cached_counts(scope)
    results = find("", asked.filters(), scope=scope, sort=asked.sort, page=asked.page, counts=known)
    context = _build_list_context(asked, results) | {
        "category": branch,
        "aisles": list_query.list_subcategories(branch, results.facets),
        "crumbs": list_query.build_breadcrumbs(branch, tree),
        "current_category": tree.path(branch.id)[0].slug,
        "canonical_url": settings.SITE_URL + branch.get_absolute_url(),
        "sorts": _list_sorts(asked, but=Sort.RELEVANCE),
    }
    return render(request, "storefront/category.html", context)


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    tree = page_cache.get_cached_tree()
    asked = list_query.read_list_query(request.GET, tree)
    filters = asked.filters(category_ids=asked.scope(tree))
    known = page_cache.get_cached_counts() if filters == Filters() and not asked.text else None
    results = find(asked.text, filters, sort=asked.sort, page=asked.page, counts=known)
    context = _build_list_context(asked, results) | {
        "search_query": asked.text,
        "shown_instead": results.shown_instead,
        "is_partial": results.is_partial,
        "missing": results.forgiven.missing if results.forgiven else (),
        "is_corrected": bool(results.forgiven and results.forgiven.is_corrected),
        "aisles": list_query.list_search_categories(asked, results.facets),
        "canonical_url": settings.SITE_URL + reverse("search"),
        "sorts": _list_sorts(asked, but=None if asked.text else Sort.RELEVANCE),
        "ask": consent_prompts.get_prompt_for_page(request, PromptPlace.SEARCH),
    }
    return render(request, "storefront/search.html", context)


def _build_list_context(asked: ListQuery, results: SearchResults) -> dict[str, Any]:
    if asked.page > 1 and not results.products:
        raise Http404
    return {
        "asked": asked,
        "cards": shelves.make_cards(results.products, eager=4),
        "total": list_query.format_count(results.total),
        "total_number": results.total,
        "groups": list_query.build_facet_groups(asked, results.facets, settings.CURRENCY),
        "page": list_query.make_list_page(asked, results),
    }


def _list_sorts(asked: ListQuery, *, but: Sort | None) -> list[tuple[str, str, bool]]:
    chosen = Sort.NEWEST if asked.sort == but else asked.sort
    return [(sort.value, name, sort == chosen) for sort, name in list_query.SORT_NAMES.items() if sort != but]
