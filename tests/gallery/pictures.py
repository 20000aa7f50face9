"""`make screenshots`: a picture of every page and state, narrow and wide; on wish those of the README."""

import base64
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Final, Literal

from playwright.sync_api import Page

from tests.gallery.opened import opened
from tests.gallery.pages import LOOKS
from tests.gallery.walk import Walk, walk
from tests.harness import servers

ROOT: Final = Path(__file__).parents[2]
FOLDER: Final = ROOT / ".screenshots"
OF_README: Final = ROOT / "docs" / "pictures"
SIZES: Final = {"wide": (1280, 800), "narrow": (390, 780)}
DARK: Final = frozenset({"inbox", "thread", "broadcast", "preflight", "person", "start", "sign-in", "import-preview"})
README: Final = (
    "thread.wide.light",
    "thread.narrow.dark",
    "broadcast.wide.light",
    "preflight.wide.light",
    "import-preview.wide.light",
    "person.wide.dark",
)
COMPRESS: Final = """async ([png, quality]) => {
  const picture = await createImageBitmap(await (await fetch(`data:image/png;base64,${png}`)).blob());
  const canvas = new OffscreenCanvas(picture.width, picture.height);
  canvas.getContext("2d").drawImage(picture, 0, 0);
  const bytes = new Uint8Array(await (await canvas.convertToBlob({ type: "image/webp", quality })).arrayBuffer());
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}"""
"""A browser knows how to make small pictures; a package for it would be one more."""


def take(through: Walk) -> None:
    for look in LOOKS:
        page = through.go(look)
        for size, (width, height) in SIZES.items():
            page.set_viewport_size({"width": width, "height": height})
            _picture(page, f"{look.name}.{size}.light")
            if look.name in DARK:
                page.emulate_media(color_scheme="dark")
                _picture(page, f"{look.name}.{size}.dark")
                page.emulate_media(color_scheme="light")


def _picture(page: Page, name: str) -> None:
    page.screenshot(path=FOLDER / f"{name}.png", animations="disabled")


def renew_readme(page: Page) -> None:
    OF_README.mkdir(exist_ok=True)
    page.goto("about:blank")
    for name in README:
        png = base64.b64encode((FOLDER / f"{name}.png").read_bytes()).decode()
        (OF_README / f"{name}.webp").write_bytes(base64.b64decode(page.evaluate(COMPRESS, [png, 0.85])))


def main(wish: Literal["readme", ""]) -> None:
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    with (
        tempfile.TemporaryDirectory() as home,
        servers.start() as started,
        opened(started, Path(home)) as gallery,
        walk(gallery) as through,
    ):
        take(through)
        if wish:
            renew_readme(through.page)
    sys.stdout.write(f"{len(list(FOLDER.iterdir()))} pictures are in {FOLDER.name}.\n")


if __name__ == "__main__":
    main("readme" if "readme" in sys.argv[1:] else "")
