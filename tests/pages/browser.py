"""A headless Chromium, and tabs that notice what their pages do behind what is seen."""

import json
import os
from urllib.parse import urlencode

from playwright.sync_api import expect, sync_playwright

# What a page may be made of; it loads nothing, so nothing has an address but its links.
ELEMENTS = set(
    "html head meta title style body main section script p div span a b code form label input h2 h3 pre ul li "
    "table thead tbody tr th td svg g rect path cwdb-action".split()
)

# Names are not looked up, so that a request to anywhere else fails and is seen.
ARGUMENTS = ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--force-color-profile=srgb"]

# What does not come about within this time does not come about.
PATIENCE = 30_000
expect.set_options(timeout=PATIENCE)

WIDE, NARROW, HEIGHT = 1200, 400, 800

# What is in a document that should not be: foreign elements, handlers and addresses.
FOREIGN = """(allowed) => {
    const found = [];
    for (const element of document.querySelectorAll("*")) {
        if (!allowed.includes(element.localName)) found.push(element.outerHTML);
        for (const { name, value } of element.attributes) {
            const leads = name === "href" && element.localName === "a" && value.startsWith("/?");
            if (/^on|^src|^data|href$|^action$|^style$/.test(name) && !leads && element.localName !== "cwdb-action")
                found.push(element.localName + " " + name + "=" + value);
        }
    }
    return found;
}"""

# Where the text of a page stands out less than 4.5 to 1 against its background (WCAG 2.2, 1.4.3).
FAINT = """() => {
    const parse = (colour) => colour.match(/[\\d.]+/g).map(Number);
    const linear = (value) => (value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    const luminance = ([red, green, blue]) => 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
    const behind = (element) => {
        for (; element; element = element.parentElement) {
            const colour = parse(getComputedStyle(element).backgroundColor);
            if (colour.length === 3 || colour[3] === 1) return colour;
        }
        return [255, 255, 255];
    };
    const found = [];
    for (const element of document.querySelectorAll("body *")) {
        const own = [...element.childNodes].some((it) => it.nodeType === Node.TEXT_NODE && it.data.trim());
        if (!own || !element.checkVisibility()) continue;
        const levels = [parse(getComputedStyle(element).color), behind(element)].map(luminance).sort((a, b) => b - a);
        const contrast = (levels[0] + 0.05) / (levels[1] + 0.05);
        if (contrast < 4.5) found.push(element.textContent.trim().slice(0, 60) + ": " + contrast.toFixed(2));
    }
    return found;
}"""


class Browser:
    def __init__(self, screenshots):
        self._screenshots = screenshots
        self._tabs = []

    def __enter__(self):
        self._playwright = sync_playwright().start()
        # Nothing but our own pages is shown, and neither root nor every container has Chromium's sandbox.
        self._chromium = self._playwright.chromium.launch(
            executable_path=os.environ["PIPESHARE_CHROMIUM"], args=ARGUMENTS, chromium_sandbox=False,
        )
        return self

    def __exit__(self, *_):
        self._chromium.close()
        self._playwright.stop()

    def open(self, estate, view=None, width=WIDE, theme=None, **go):
        """A tab with the page as `cargo demo serve` shows it; without a view, as its address is typed."""
        query = {"theme": theme} if theme else {}
        if view:
            query |= {"go": json.dumps({"go": {"view": view, **go}}), "width": width}
        tab = self.tab(estate.endpoint, width)
        tab.page.goto(f"{estate.endpoint}/?{urlencode(query)}" if query else estate.endpoint)
        return tab

    def tab(self, origin, width=WIDE):
        tab = Tab(self._chromium.new_context(viewport={"width": width, "height": HEIGHT}), origin, self._screenshots)
        self._tabs.append(tab)
        return tab

    def close_tabs(self):
        tabs, self._tabs = self._tabs, []
        for tab in tabs:
            tab.close()


class Tab:
    """A page, and whatever it did that nobody sees."""

    def __init__(self, context, origin, screenshots):
        self.page = context.new_page()
        self._context = context
        self._origin = origin
        self._screenshots = screenshots
        self.odd = []
        self.requests = 0
        context.on("request", self._requested)
        self.page.on("console", lambda said: self.odd.append(f"console: {said.type}: {said.text}"))
        self.page.on("pageerror", lambda error: self.odd.append(f"error: {error}"))
        self.page.on("dialog", lambda dialog: (self.odd.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        self.page.on("popup", lambda popup: self.odd.append(f"popup: {popup.url}"))
        self.page.on("download", lambda download: self.odd.append(f"download: {download.url}"))
        self.page.on("websocket", lambda socket: self.odd.append(f"socket: {socket.url}"))

    def _requested(self, request):
        self.requests += 1
        if not request.url.startswith(f"{self._origin}/"):
            self.odd.append(f"request: {request.url}")

    def follow(self, name):
        """Clicks a link or a button of the page."""
        self.page.locator("a", has_text=name).first.click()

    def sees(self, text):
        """Waits until the page shows a text."""
        expect(self.page.locator("main")).to_contain_text(text, use_inner_text=True)

    def text(self, part="main"):
        return self.page.locator(part).inner_text()

    def picture(self, name, **options):
        self.page.screenshot(path=self._screenshots / f"{name}.png", **{"full_page": True, **options})

    def overflow(self):
        """By how many pixels the document is wider than the window."""
        return self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")

    def check(self):
        """The page is well: it fits, can be read, and holds and did nothing but its own."""
        assert self.overflow() == 0
        assert self.page.evaluate(FAINT) == []
        assert self.page.evaluate(FOREIGN, list(ELEMENTS)) == []
        assert self.odd == []

    def close(self):
        self._context.close()
        assert self.odd == []
