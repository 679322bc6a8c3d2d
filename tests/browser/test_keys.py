"""The keyboard alone is enough."""

import pytest

from tests.browser.visit import Visit, visiting

pytestmark = pytest.mark.job


def test_search_finds_layers_and_features(visit: Visit) -> None:
    visit.go().press("/")
    visit.page.keyboard.type("alpha 2 7")
    assert visit.all(".found li").first.inner_text().replace("\n", "") == "alpha / conv2 : 7"
    visit.press("Enter").wait("#/f/alpha/conv2/7")
    visit.press("/")
    visit.page.keyboard.type("block")
    visit.press("Enter").wait("#/l/beta%20net/block%2F0")
    visit.press("/")
    visit.page.keyboard.type("beta net/block/0:5")
    visit.press("Enter").wait("#/f/beta%20net/block%2F0/5")
    for text, route in (("alpah conv2", "#/l/alpha/conv2"), ("dead", "#/all?state=dead"), ("closest", "#/lists/pairs")):
        visit.press("/").page.keyboard.type(text)
        visit.press("Enter").wait(route)
    visit.press("/").page.keyboard.type("family 2 conv2")
    assert "Family 2" in visit.all(".found li").first.inner_text()
    visit.press("Enter").wait("#/l/alpha/conv2?order=cluster&family=2")
    visit.press("/")
    visit.page.keyboard.type("nothing like it")
    assert visit.all(".found").inner_text() == "Nothing is called that."
    visit.press("Escape")
    visit.page.wait_for_selector("dialog", state="detached")


def test_arrows_walk_the_channels_and_lead_up_to_the_layer(visit: Visit) -> None:
    visit.go("#/f/alpha/conv1/0").press("ArrowRight").wait("#/f/alpha/conv1/1")
    visit.press("ArrowRight").wait("#/f/alpha/conv1/2").press("ArrowLeft").wait("#/f/alpha/conv1/1")
    visit.press("ArrowUp").wait("#/l/alpha/conv1?at=1")
    visit.page.wait_for_function("document.activeElement.getAttribute('href') === '#/f/alpha/conv1/1'")
    visit.press("]").wait("#/l/alpha/conv2").press("[").wait("#/l/alpha/conv1")
    visit.press(".").wait("#/l/alpha/conv2").press(",").wait("#/l/alpha/conv1")
    # as many keyboards type it: with AltGr, which is Ctrl and Alt to a browser
    visit.page.evaluate("""document.body.dispatchEvent(Object.assign(new KeyboardEvent("keydown",
        { key: "]", ctrlKey: true, altKey: true, modifierAltGraph: true, bubbles: true })))""")
    visit.wait("#/l/alpha/conv2")


def test_a_link_leads_down_to_the_relatives_and_tab_goes_on_from_there(visit: Visit) -> None:
    visit.go("#/f/alpha/conv2/1").page.click("text=Relatives")
    assert visit.page.evaluate("document.activeElement.textContent") == "Relatives"
    visit.press("Tab")
    assert visit.page.evaluate("Boolean(document.activeElement.closest('.relatives'))")
    assert visit.route == "#/f/alpha/conv2/1"


def test_walking_keeps_the_order_the_filter_and_the_images_one_came_from(visit: Visit) -> None:
    visit.go("#/l/alpha/conv1?order=score&turned=1&state=ok&set=l2")
    visit.all(".wallrow a").first.click()
    kept = "order=score&turned=1&state=ok&set=l2"
    visit.wait(f"#/f/alpha/conv1/0?{kept}")
    assert "1 of 7, by score from the weakest" in visit.page.inner_text("nav.links[aria-label='Around this feature']")
    for channel in (1, 2, 4):  # 3 is dead
        visit.press("ArrowRight").wait(f"#/f/alpha/conv1/{channel}?{kept}")
    visit.press("ArrowUp").wait(f"#/l/alpha/conv1?{kept}&at=4")
    visit.page.wait_for_function("document.activeElement.getAttribute('href')?.startsWith('#/f/alpha/conv1/4?')")
    visit.go("#/all?of=all&name=block").press("ArrowRight", "Enter")
    visit.wait("#/f/beta%20net/block%2F0/0?of=all&name=block")
    visit.press("ArrowRight").wait("#/f/beta%20net/block%2F0/1?of=all&name=block")
    visit.press("ArrowUp").wait("#/all?of=all&name=block&at=beta%20net%2Fblock%2F0%3A1")


def test_walking_keeps_the_list_one_came_from_and_leads_back_to_it(visit: Visit) -> None:
    """Hubs, pairs of every kind, bookmarks: each list in its own order, narrowed down as it was."""
    for address in ("alpha/conv1/2", "beta%20net/block%2F0/7"):
        visit.go(f"#/f/{address}").press("b")
    layers = "#/compare?a=alpha%2Fconv1&b=alpha%2Fconv2"
    hrefs = "all => all.map((one) => one.getAttribute('href'))"
    for route in ("#/lists/hubs", "#/lists/pairs?only=layers", "#/lists/matches", layers, "#/bookmarks"):
        links = visit.go(route).page.locator("[data-n]").evaluate_all(hrefs)[:3]
        assert all("from=" in link and f"n={n}" in link for n, link in enumerate(links)) and len(links) > 1
        visit.all("[data-n='0']").click()
        visit.wait(links[0])
        for link in links[1:]:
            visit.press("ArrowRight").wait(link)
        visit.press("ArrowLeft").wait(links[-2])
        visit.press("Escape" if "pairs" in route else "ArrowUp")
        back = f"{route}{'&' if '?' in route else '?'}at={len(links) - 2}"
        visit.wait(back)
        visit.page.wait_for_function("document.activeElement.getAttribute('aria-current') === 'true'")
    visit.go("#/lists/pairs").all(".couple .versus").first.click()
    visit.page.wait_for_selector("h1:has-text('Two features')")
    told = visit.page.inner_text("nav.links a[rel='up']")
    assert told.startswith("Pair 1 of ") and told.endswith(", Closest pairs")
    visit.press("ArrowRight").page.wait_for_function("location.hash.endsWith('n=2')")
    visit.press("Escape").wait("#/lists/pairs?at=2")


def test_who_walks_over_pairs_keeps_the_keyboard(visit: Visit) -> None:
    visit.go("#/lists/pairs").all(".couple .versus").first.click()
    visit.page.wait_for_selector("a[rel='next']")
    for n in (2, 4):
        visit.page.focus("#main nav.links a[rel='next']")
        visit.press("ArrowRight").page.wait_for_function(
            f"document.querySelector('#main').dataset.route.endsWith('n={n}')"
        )
        assert visit.page.evaluate("document.activeElement.tagName") == "H1"
    visit.press("Tab")
    assert visit.page.evaluate("document.activeElement.getAttribute('rel')") == "prev"


def test_a_link_to_a_family_shows_which_of_it_one_came_from(visit: Visit) -> None:
    visit.go("#/f/alpha/conv2/7").page.click(".sentence a:has-text('family')")
    visit.page.wait_for_selector(".wallrow a[aria-current='true'][href*='/conv2/7']")


def test_arrows_walk_the_wall_and_enter_opens(visit: Visit) -> None:
    visit.go("#/l/alpha/conv2").press("ArrowRight", "ArrowRight", "ArrowRight")
    assert visit.page.evaluate("document.activeElement.dataset.at") == "2"
    visit.press("Enter").wait("#/f/alpha/conv2/2")


def test_the_next_images_are_those_of_the_next_metric(visit: Visit) -> None:
    visit.go("#/f/alpha/conv1/0").press("m")
    visit.page.wait_for_function("document.querySelector('figure.chosen strong').textContent === 'l2'")
    assert visit.route == "#/f/alpha/conv1/0?set=l2"
    visit.press("ArrowRight").wait("#/f/alpha/conv1/1?set=l2")


def test_what_was_chosen_keeps_the_keyboard(visit: Visit) -> None:
    visit.go("#/l/alpha/conv1").page.focus("button.choice:has-text('Score')")
    visit.press("Enter").wait("#/l/alpha/conv1?order=score")
    assert visit.page.evaluate("document.activeElement.textContent") == "Score"
    visit.page.focus("button:has-text('Auto')")
    visit.press("Enter")
    assert visit.page.evaluate("document.activeElement.textContent") == "Dark"


def test_an_overlay_holds_the_keyboard_until_it_is_closed(visit: Visit) -> None:
    visit.go().press("?")
    for _ in range(8):
        visit.press("Tab")
        assert visit.page.evaluate("!document.activeElement.closest('#main, #bar')")
    visit.press("Escape", "/")
    visit.page.evaluate("location.hash = '#/l/alpha/conv1'")
    visit.wait("#/l/alpha/conv1")
    assert visit.all("dialog").count() == 0


def test_the_spectrum_is_walked_by_arrows(visit: Visit) -> None:
    visit.go("#/f/alpha/conv2/1").page.focus("canvas.spectrum")
    visit.press("ArrowRight", "ArrowRight")
    assert visit.page.inner_text(".spectra .said").startswith("channel 3")
    visit.press("Enter").wait("#/f/alpha/conv2/3")


def test_random_home_help_and_theme(visit: Visit) -> None:
    visit.go().press("r")
    visit.page.wait_for_function("location.hash.startsWith('#/f/')")
    visit.press("h").wait("#/")
    visit.press("?")
    assert "Activation spectrum" in visit.page.inner_text(".help")
    visit.press("Escape")
    visit.page.wait_for_selector("dialog", state="detached")
    light = visit.page.evaluate("getComputedStyle(document.body).backgroundColor")
    visit.press("t")
    assert visit.page.evaluate("getComputedStyle(document.body).backgroundColor") != light


def test_bookmarks_stay_and_are_saved(visit: Visit) -> None:
    visit.go("#/f/alpha/conv1/2").press("b")
    visit.go("#/f/alpha/conv2/7").press("b")
    visit.page.reload()
    visit.go("#/bookmarks")
    assert visit.all(".marked").count() == 2
    with visit.page.expect_download() as saved:
        visit.page.click("text=Save as CSV")
    assert saved.value.path().read_text().splitlines() == [
        "feature,model,layer,channel",
        "alpha/conv1:2,alpha,conv1,2",
        "alpha/conv2:7,alpha,conv2,7",
    ]
    visit.all(".marked button").first.click()
    visit.page.wait_for_function("document.querySelectorAll('.marked').length === 1")


def test_going_back_shows_the_page_where_it_was_left(browser, made) -> None:
    with visiting(browser, made) as visit:
        visit.go("#/f/alpha/conv2/1")
        visit.page.evaluate("scrollTo(0, 400)")
        visit.page.wait_for_timeout(100)
        visit.go("#/f/alpha/conv2/2")
        assert visit.page.evaluate("scrollY") == 0
        visit.page.go_back()
        visit.wait("#/f/alpha/conv2/1")
        visit.page.wait_for_function("scrollY === 400")
