"""One browser on one site: where it goes, what it asks for, what it complains of."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Locator, Page, Request

from atlas.cli.server import make_server
from atlas.query.atlas import Atlas

FLAGS = [  # no call home: what is tested is that none leaves the site
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--disable-default-apps"),
]
# one round trip for each page: a test that visits all pages asks for hundreds
GO = """(route) => new Promise((done, fail) => {
    const main = document.querySelector("#main"), before = main.dataset.drawn, late = performance.now() + 15000;
    if (location.hash === route) return done();
    location.hash = route;
    const look = () => main.dataset.drawn !== before ? done()
        : performance.now() > late ? fail(new Error(`${route} was not drawn`)) : setTimeout(look, 4);
    look();
})"""


def chromium() -> str:
    """The Chromium of this machine; `make chromium` installs it."""
    return _on_path("chromium", "chromium-browser", "google-chrome")


def firefox_here() -> str:
    """The Firefox of this machine; `make firefox` installs it."""
    return _on_path("firefox-esr", "firefox")


def _on_path(*names: str) -> str:
    program = next(filter(None, map(shutil.which, names)), None)
    if program is None:
        raise RuntimeError(f"none of {', '.join(names)} is on PATH; `make chromium firefox` installs Debian's")
    return program


@dataclass
class Visit:
    """A page of a browser, which begins at `home`."""

    page: Page
    home: str
    asked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.set_default_timeout(15_000)
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("requestfailed", self._note_failure)
        self.page.on(
            "response", lambda answer: answer.status >= 400 and self.complaints.append(f"{answer.status}: {answer.url}")
        )
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on(
            "console",
            lambda said: said.type in ("error", "warning") and self.complaints.append(f"{said.type}: {said.text}"),
        )

    def _note_failure(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # by the browser itself, as a page is left
            self.complaints.append(f"{request.failure}: {request.url}")

    def go(self, route: str = "#/") -> "Visit":
        """To a route, and until its page is drawn."""
        if self.page.url == "about:blank":
            self.page.goto(self.home)
            self.page.wait_for_selector("h1")
            self.home = self.page.url.split("#")[0]
        self.page.evaluate(GO, route)
        return self

    def press(self, *keys: str) -> "Visit":
        for key in keys:
            self.page.keyboard.press(key)
        return self

    def wait(self, route: str) -> "Visit":
        """Until the page of a route is drawn."""
        self.page.wait_for_function("(route) => document.querySelector('#main').dataset.route === route", arg=route)
        return self

    @property
    def route(self) -> str:
        return self.page.evaluate("location.hash")

    @property
    def heading(self) -> str:
        return self.page.inner_text("h1").strip()

    def all(self, selector: str) -> Locator:
        return self.page.locator(selector)

    def links(self) -> set[str]:
        """Every route that a link of this page leads to."""
        return set(self.page.eval_on_selector_all("a[href^='#/']", "all => all.map((one) => one.getAttribute('href'))"))

    def pages(self) -> set[str]:
        """The same, but a feature, a wall and a map once, whatever of them is asked for."""
        once = ("#/f/", "#/l/", "#/map/", "#/all")
        return {link.split("?")[0] if link.startswith(once) else link for link in self.links()}

    def strangers(self) -> list[str]:
        """What was asked of others than the site."""
        home = urlsplit(self.home)
        near = ("data", "blob", "about")
        there = [url for url in self.asked if urlsplit(url).scheme not in near]
        return [url for url in there if urlsplit(url)[:2] != home[:2]]


@contextmanager
def served(root: Path) -> Iterator[str]:
    """The address of `atlas serve` for an atlas."""
    with Atlas(root) as atlas:
        server = make_server(atlas, 0)
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


@contextmanager
def visiting(browser: Browser, root: Path, address: str | None = None, **options: Any) -> Iterator[Visit]:
    """A fresh browser on an atlas's site; at the end nothing may have failed and nothing left this machine."""
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **options})
    found = Visit(context.new_page(), address or (root.resolve() / "site/index.html").as_uri())
    yield found
    context.close()
    if wrong := [*found.complaints, *found.strangers()]:
        raise AssertionError("\n".join(wrong))
