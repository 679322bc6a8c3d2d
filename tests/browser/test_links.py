"""From the first page, link by link, to all there is."""

import pytest

from tests.browser.visit import Visit

pytestmark = pytest.mark.job


@pytest.mark.slow
def test_every_feature_and_page_is_reached_from_the_first_page(visit: Visit) -> None:
    waiting, seen, broken = {"#/"}, set(), []
    while waiting:
        route = waiting.pop()
        seen.add(route)
        visit.go(route)
        if visit.heading in ("Not in this atlas", "This page cannot be shown"):
            broken.append(route)
        if not route.startswith("#/compare"):  # of pairs there are hundreds; each is tried once, from where it is found
            waiting |= visit.pages() - seen
        compared = {one for one in waiting if one.startswith("#/compare")}
        waiting -= set(sorted(compared)[8:])
    assert broken == []
    features = {route.split("?")[0] for route in seen if route.startswith("#/f/")}
    assert len(features) == 40
    assert {"#/map/alpha", "#/map/beta%20net", "#/bookmarks"} <= seen


@pytest.mark.slow
def test_every_link_of_the_first_page_leads_somewhere_from_a_server(served_visit: Visit) -> None:
    links = served_visit.go().pages()
    assert len(links) > 20
    for route in sorted(links):
        assert served_visit.go(route).heading not in ("Not in this atlas", "This page cannot be shown"), route
