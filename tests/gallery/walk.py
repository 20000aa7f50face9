"""A browser that goes from page to page as whoever a page is to be seen by, and what it measures on each."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page, expect

from tests.gallery.opened import Gallery
from tests.gallery.pages import HALF, Look
from tests.harness.browser import hold, started

RULES: Final = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
IN_ANOTHER_LIGHT: Final = ("color-contrast", "target-size", "link-in-text-block", "scrollable-region-focusable")
"""What of the rules depends on colours or on room: the others were asked once, in light and wide."""
_ALWAYS: Final[dict[str, Any]] = {"resultTypes": ["violations"], "preload": False}
"""No stylesheet is fetched once more: that is for rules about other media, none of which are asked."""
_CHECKER: Final = f"""{AXE_SCRIPT};
axe.configure({{ rules: [{{ id: "color-contrast", selector: "[data-ink]" }}] }});"""

INK: Final = """() => {
  const often = new Map(), papers = new Map(), fields = "button, input, select, textarea, option";
  const paper = (e) => {
    if (!e) return "";
    if (!papers.has(e)) {
      const { backgroundColor, backgroundImage, opacity, filter, mixBlendMode, position } = getComputedStyle(e);
      papers.set(e, [paper(e.parentElement), backgroundColor, backgroundImage, opacity, filter, mixBlendMode, position]
        .filter((each) => !/^(rgba\\(0, 0, 0, 0\\)|none|1|normal|static|relative)$/.test(each)).join(" "));
    }
    return papers.get(e);
  };
  for (const e of document.querySelectorAll("body, body *")) {
    e.removeAttribute("data-ink");
    const said = [...e.childNodes].map((each) => (each.nodeType === 3 ? each.data : "")).join("").trim();
    if (!(said || e.matches(fields)) || !e.checkVisibility({ visibilityProperty: true })) continue;
    const { color, fontSize, fontWeight, textShadow } = getComputedStyle(e);
    const isOff = [e, e.control].some((each) => each?.closest(":disabled, [aria-disabled=true]"));
    const ink = [e.localName, said.length > 1, isOff, color, fontSize, fontWeight, textShadow, paper(e)].join();
    often.set(ink, (often.get(ink) ?? 0) + 1);
    if (often.get(ink) <= 3) e.setAttribute("data-ink", "");
  }
}"""
"""Marks whose contrast is to be checked: of what has the same ink on the same paper three, as a fourth fares no worse.

To check each word of a long table took most of the time there was for all rules and pages.
"""

MEASURE: Final = """() => {
  const wide = document.documentElement.clientWidth, told = [];
  const name = (e) => `${e.tagName.toLowerCase()}.${e.className} “${e.textContent.trim().slice(0, 30)}”`;
  const scrolls = (e) =>
    e && e !== document.body && (/auto|scroll/.test(getComputedStyle(e).overflowX) || scrolls(e.parentElement));
  const isForReaders = (e) => {
    const hidden = e.closest("svg, .visually-hidden, thead");
    return hidden && (hidden.matches("svg") || getComputedStyle(hidden).position === "absolute");
  };
  const isShown = (e, box) => box.width > 1 && box.height > 1 && e.checkVisibility({ visibilityProperty: true });
  const over = document.documentElement.scrollWidth - wide;
  if (over > 0) told.push(`the page scrolls sideways by ${over}px`);
  for (const e of document.querySelectorAll("body *")) {
    const box = e.getBoundingClientRect(), style = getComputedStyle(e);
    if (!isShown(e, box) || isForReaders(e) || e.matches("input, select, textarea, progress")) continue;
    if ((box.right > wide + 1 || box.left < -1) && !scrolls(e.parentElement)) told.push(`beyond the edge: ${name(e)}`);
    const isMeant = style.textOverflow === "ellipsis" || style.webkitLineClamp !== "none";
    const isWider = /hidden|clip/.test(style.overflowX) && e.scrollWidth > e.clientWidth + 1;
    const isHigher = /hidden|clip/.test(style.overflowY) && e.scrollHeight > e.clientHeight + 2;
    if ((isWider || isHigher) && !isMeant) told.push(`cut off: ${name(e)}`);
  }
  return told.slice(0, 4);
}"""
"""What a page of this width cannot show: it would scroll sideways, or something stands beyond an edge or is cut off."""


class Walk:
    def __init__(self, gallery: Gallery, page: Page) -> None:
        self.page = page
        self._gallery = gallery

    def go(self, look: Look) -> Page:
        """The page in the state to be looked at, in light and 1280 px wide."""
        self.page.set_viewport_size({"width": 1280, "height": 900})
        self.page.emulate_media(color_scheme="light", reduced_motion="reduce")
        self._become(look.who)
        self.page.set_extra_http_headers({"Accept-Language": look.language})
        self.page.goto(look.address(self._gallery.app, self._gallery.school))
        if look.do:
            look.do(self.page)
        expect(self.page.locator(".is-old")).to_have_count(0)  # what is being asked for again is pale for a moment
        return self.page

    def complaints(self) -> list[str]:
        """What the checker finds: the rule, where, and what would be right."""
        return self._ask({"type": "tag", "values": RULES})

    def complaints_in_another_light(self) -> list[str]:
        """The same of a page that was checked before, whose colours or width are others now."""
        return self._ask({"type": "rule", "values": IN_ANOTHER_LIGHT})

    def _ask(self, only: dict[str, Any]) -> list[str]:
        """Violations alone leave the page: to bring all that passed out of it took longer than to check it."""
        self.page.evaluate(INK)
        violations = self.page.evaluate(
            "options => axe.run(options).then(told => told.violations)", _ALWAYS | {"runOnly": only}
        )
        return [
            f"{each['id']}: {node['target'][0]}: {' '.join(node['failureSummary'].split())[:300]}"
            for each in violations
            for node in each["nodes"]
        ]

    def out_of_sight(self, width: int) -> list[str]:
        self.page.set_viewport_size({"width": width, "height": 900 if width > 600 else 780})
        return [f"{width} px: {each}" for each in self.page.evaluate(MEASURE)]

    def _become(self, who: str) -> None:
        secrets = self._gallery.school.secrets
        self.page.context.clear_cookies()
        if who:
            key = self._gallery.app.secret_key
            assert isinstance(key, bytes)
            hold(self.page, self._gallery.url, key, {"half" if who == HALF else "secret": secrets[who]})


@contextmanager
def walk(gallery: Gallery) -> Iterator[Walk]:
    """A script's error fails whoever walks; that a page was refused, as some are to be, does not."""
    errors: list[str] = []
    with started() as browser:
        page = browser.new_page(base_url=gallery.url)
        page.add_init_script(_CHECKER)
        page.on("pageerror", lambda error: errors.append(str(error)))
        yield Walk(gallery, page)
    assert errors == []
