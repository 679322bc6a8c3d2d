"""The pictures of README and docs: `make pictures`, out of the atlases of `make imagenet` and `make atlas`.

python tests/browser/pictures.py [IMAGENET DEMO]          without: outputs/imagenet and outputs/demo
"""

import subprocess
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from atlas.query.atlas import Atlas
from atlas.report.site.write import write_site
from atlas.store.paths import AtlasPaths
from tests.browser.visit import FLAGS, chromium, visiting

FOLDER = Path("docs")
WIDE = 1400  # pixels
CLASSES = "[goldfish, flamingo, bald eagle, ladybug, monarch, zebra, fire engine, daisy]"
STAGES = ", ".join(f'{layer}: "0:8"' for layer in (*(f"blocks.{number}" for number in range(7)), "conv_head"))
FEATURE = "#/f/efficientnet_lite0/blocks.4/3"


def main() -> None:
    named = [Path(argument).resolve() for argument in sys.argv[1:]]
    imagenet, demo = named or (Path("outputs/imagenet"), Path("outputs/demo"))
    layers = f"layers={{{STAGES}, classifier: {CLASSES}}}"
    save("imagenet", [figure("layer-grid", imagenet, "model=efficientnet_lite0", layers)])
    dream = figure("dream", demo, "layers=[conv5]", "channels=[0,1]", "recipe=dream_normalized")
    save("figures", [dream, figure("trajectory", demo, "layers=[conv5]", "channels=[0]")])
    run("show", "zebra", "--atlas", str(imagenet))
    with Atlas(imagenet) as atlas:
        zebra = atlas.feature("zebra").address
        sheet = atlas.paths.sheet(zebra.model, zebra.layer, f"feature-{zebra.channel}")
    save("neighbors", [sheet])
    save("site", [screenshot(imagenet)])


def run(*words: str) -> str:
    """What a command says on stdout."""
    return subprocess.run([sys.executable, "-m", "atlas", *words], check=True, text=True, stdout=subprocess.PIPE).stdout


def figure(name: str, root: Path, *overrides: str) -> Path:
    """A figure of an atlas, as PNG."""
    return next(Path(line) for line in run("figure", name, f"out={root}", *overrides).splitlines() if ".png" in line)


def screenshot(root: Path) -> Path:
    write_site(AtlasPaths(root))
    file = root / "figures/site.png"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        with visiting(browser, root, color_scheme="light", viewport={"width": 1280, "height": 880}) as visit:
            visit.go(FEATURE).page.wait_for_load_state("networkidle")
            visit.page.wait_for_timeout(300)
            visit.page.screenshot(path=file)
    return file


def save(name: str, files: list[Path]) -> None:
    """Pictures below one another as one JPEG, WIDE at most."""
    pictures = [Image.open(file).convert("RGB") for file in files]
    wide = min(WIDE, max(picture.width for picture in pictures))
    pictures = [picture.resize((wide, picture.height * wide // picture.width)) for picture in pictures]
    sheet = Image.new("RGB", (wide, sum(picture.height for picture in pictures)), "white")
    top = 0
    for picture in pictures:
        sheet.paste(picture, (0, top))
        top += picture.height
    sheet.save(FOLDER / f"{name}.jpg", quality=82, optimize=True)
    print(FOLDER / f"{name}.jpg", sheet.size)


if __name__ == "__main__":
    main()
