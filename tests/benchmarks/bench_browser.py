"""How fast the site of an atlas is in headless Chromium, without a GPU: first page, a wide layer, scrolling, the map.

PYTHONPATH=. python tests/benchmarks/bench_browser.py ATLAS
"""

import sys
from pathlib import Path
from statistics import median
from urllib.parse import quote

from playwright.sync_api import Page, sync_playwright

from atlas.query.atlas import Atlas
from tests.browser.visit import FLAGS, chromium

TURNS = 5
DRAWN = """(route) => new Promise((done) => {
    const began = performance.now();
    const wait = () => document.querySelector("#main").dataset.route === route
        ? requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - began))) : setTimeout(wait, 1);
    location.hash = route;
    wait();
})"""
FRAMES = """([step, count]) => new Promise((done) => {
    const gaps = [];
    let before = performance.now();
    const next = (now) => {
        gaps.push(now - before);
        before = now;
        if (gaps.length > count) return done(gaps.slice(1).sort((a, b) => a - b));
        (new Function("k", step))(gaps.length);
        requestAnimationFrame(next);
    };
    requestAnimationFrame(next);
})"""
DECODED = """async (selector) => {
    const began = performance.now();
    const sheets = [...document.querySelectorAll(selector)].map((one) => one.style.backgroundImage.slice(5, -2));
    await Promise.all([...new Set(sheets)].map((source) => Object.assign(new Image(), { src: source }).decode()));
    return performance.now() - began;
}"""
SCROLL = "scrollBy(0, 240)"
DRAG = """
    const canvas = document.querySelector("main canvas"), at = canvas.getBoundingClientRect();
    const hand = { pointerId: 1, isPrimary: true, button: 0, buttons: 1, bubbles: true };
    const say = (kind, x, y) => canvas.dispatchEvent(
        new PointerEvent(kind, { ...hand, clientX: at.x + x, clientY: at.y + y }));
    if (k === 1) say("pointerdown", 400, 300);
    say("pointermove", 400 + 90 * Math.sin(k / 9), 300 + 60 * Math.cos(k / 9));"""
ZOOM = """
    const canvas = document.querySelector("main canvas"), at = canvas.getBoundingClientRect();
    canvas.dispatchEvent(new WheelEvent("wheel", { deltaY: k % 80 < 40 ? -40 : 40, clientX: at.x + 500, clientY: at.y + 300,
        bubbles: true, cancelable: true }));"""
SEARCH = """() => {
    document.querySelector(".searchbutton").click();
    const field = document.querySelector(".finder input"), began = performance.now();
    field.value = "stagge3";
    field.dispatchEvent(new Event("input"));
    const took = performance.now() - began;
    document.querySelector(".finder button").click();
    return took;
}"""


def main() -> None:
    root = Path(sys.argv[1])
    with Atlas(root) as atlas:
        layers = atlas.sql("SELECT model, layer, count(DISTINCT channel) AS n FROM plan GROUP BY ALL").to_pylist()
        total = atlas.sql("SELECT count(DISTINCT feature) AS n FROM plan").to_pylist()[0]["n"]
    wide = min(layers, key=lambda layer: abs(layer["n"] - 2048))
    widest = max(layers, key=lambda layer: layer["n"])
    far = f"{quote(widest['model'], '')}/{quote(widest['layer'], '')}"
    name = f"{quote(wide['model'], '')}/{quote(wide['layer'], '')}"
    print(f"{root}: {total:,} features in {len(layers)} layers; milliseconds, median of {TURNS}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        pages = [browser.new_context(viewport={"width": 1440, "height": 900}).new_page() for _ in range(TURNS)]
        report("first page, to its last sample", [first_page(page, root) for page in pages])
        report(f"layer of {wide['n']:,}, to the frame that shows it", [layer(page, f"#/l/{name}") for page in pages])
        page = pages[0]
        frames("scrolling that layer by 240 px a frame", page.evaluate(FRAMES, [SCROLL, 120]))
        report("feature", [page.evaluate(DRAWN, f"#/f/{name}/{k}") for k in (5, 700, 1400, 300, 1000)])
        report("map", [one.evaluate(DRAWN, f"#/map/{quote(wide['model'], '')}") for one in pages])
        page.wait_for_timeout(6000)
        frames("dragging the map", page.evaluate(FRAMES, [DRAG, 120]))
        frames("zooming the map", page.evaluate(FRAMES, [ZOOM, 120]))
        report("matrix of that layer", [one.evaluate(DRAWN, f"#/matrix/{name}") for one in pages])
        report(f"matrix of {widest['n']:,}", [one.evaluate(DRAWN, f"#/matrix/{far}") for one in pages])
        report("all of the atlas on one wall", [one.evaluate(DRAWN, "#/all") for one in pages])
        report("search for a name with a wrong letter", [one.evaluate(SEARCH) for one in pages])


def first_page(page: Page, root: Path) -> float:
    """Since the page was asked for."""
    page.goto((root.resolve() / "site/index.html").as_uri(), wait_until="commit")
    page.wait_for_selector("h1")
    page.evaluate(DECODED, ".strip .thumb")
    return page.evaluate("performance.now()")


def layer(page: Page, route: str) -> float:
    """Until drawn, and every sheet in view is decoded."""
    return page.evaluate(DRAWN, route) + page.evaluate(DECODED, ".wallrow .thumb")


def report(what: str, values: list[float]) -> None:
    print(f"  {what:48} {median(values):7.0f}   (from {min(values):.0f} to {max(values):.0f})")


def frames(what: str, gaps: list[float]) -> None:
    print(
        f"  {what:48} {median(gaps):7.0f} a frame, 95 % below {gaps[int(0.95 * len(gaps))]:.0f}, longest {gaps[-1]:.0f}"
    )


if __name__ == "__main__":
    main()
