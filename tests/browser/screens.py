"""Pictures of every page of an atlas's site, and one montage of all of them: `make screens`, into build/screens/.

python tests/browser/screens.py [ATLAS]          without: the newest atlas under outputs/
"""

import sys
from pathlib import Path
from urllib.parse import quote

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from atlas.query.atlas import Atlas, newest
from tests.browser.visit import FLAGS, chromium, visiting

FOLDER = Path("build/screens")
LOOKS = {
    "light": {"color_scheme": "light", "viewport": {"width": 1440, "height": 900}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 1440, "height": 900}},
    "phone": {"color_scheme": "light", "viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True},
}
MARK = """(root) => {
    const links = [...document.querySelectorAll(".strip a")].map((one) => one.getAttribute("href"));
    const shown = links.map((link) => link.split("/").slice(2).map(decodeURIComponent));
    localStorage.setItem(`atlas bookmarks ${document.querySelector("h1").textContent} ${root}`,
        JSON.stringify(shown.filter((_, k) => k % 5 === 0).map(([model, layer, channel]) => `${model}/${layer}:${channel}`)));
}"""
TALL = 450  # pixels of a page in the montage
SPACE = 12


def main() -> None:
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else newest()
    FOLDER.mkdir(parents=True, exist_ok=True)
    routes = pages(root)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        shots = {look: [shoot(browser, root, look, name, route) for name, route in routes.items()] for look in LOOKS}
    montage(shots).save(FOLDER / "montage.jpg", quality=88)
    print(f"{sum(map(len, shots.values()))} pages, and {FOLDER / 'montage.jpg'}")


def pages(root: Path) -> dict[str, str]:
    """A route of every kind: of the widest layer, and of a feature in its middle."""
    with Atlas(root) as atlas:
        (wide, *_) = atlas.sql("""
            SELECT model, layer, count(DISTINCT channel) AS n, quantile_disc(channel, 0.5) AS channel
            FROM features WHERE status = 'ok' GROUP BY ALL ORDER BY n DESC, model, layer""").to_pylist()
        near = atlas.feature(f"{wide['model']}/{wide['layer']}:{wide['channel']}").similar(1).to_pylist()
        layers = atlas.sql("SELECT DISTINCT model, layer FROM features ORDER BY ALL").to_pylist()
    other = next((one for one in layers if one["model"] != wide["model"]), layers[0])
    model, layer, address = quote(wide["model"], ""), quote(wide["layer"], ""), f"{wide['model']}/{wide['layer']}"
    feature = f"{address}:{wide['channel']}"
    return {
        "home": "#/",
        "layer": f"#/l/{model}/{layer}",
        "families": f"#/l/{model}/{layer}?order=cluster",
        "feature": f"#/f/{model}/{layer}/{wide['channel']}",
        "map": f"#/map/{model}",
        "matrix": f"#/matrix/{model}/{layer}",
        "compare": f"#/compare?a={quote(feature, '')}&b={quote(near[0]['dst'] if near else feature, '')}",
        "layers": f"#/compare?a={quote(address, '')}&b={quote(other['model'] + '/' + other['layer'], '')}",
        "lists": "#/lists/pairs",
        "all": "#/all?order=rank&turned=1",
        "bookmarks": "#/bookmarks",
    }


def shoot(browser: Browser, root: Path, look: str, name: str, route: str) -> Path:
    """One page as it stands in the window, once its images are there."""
    file = FOLDER / f"{name}-{look}.png"
    with visiting(browser, root, **LOOKS[look]) as visit:
        visit.go()
        if name == "bookmarks":
            visit.page.evaluate(MARK, root.as_posix())
            visit.page.reload()
        visit.go(route)
        visit.page.wait_for_load_state("networkidle")
        visit.page.wait_for_timeout(300)
        visit.page.screenshot(path=file)
    return file


def montage(shots: dict[str, list[Path]]) -> Image.Image:
    """All pages side by side, a row for each look."""
    rows = [[Image.open(file) for file in files] for files in shots.values()]
    small = [[one.resize((one.width * TALL // one.height, TALL)) for one in row] for row in rows]
    width = max(sum(one.width + SPACE for one in row) for row in small) + SPACE
    sheet = Image.new("RGB", (width, len(small) * (TALL + SPACE) + SPACE), (128, 128, 128))
    for number, row in enumerate(small):
        x = SPACE
        for one in row:
            sheet.paste(one, (x, SPACE + number * (TALL + SPACE)))
            x += one.width + SPACE
    return sheet


if __name__ == "__main__":
    main()
