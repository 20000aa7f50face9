"""Every page, with data behind it and in each of its states: for everybody's eyes, hands and screens."""

from collections.abc import Iterator

import pytest

from bot.team.routes import ROUTES, Door, Scope
from tests.gallery.opened import Gallery, opened
from tests.gallery.pages import LOOKS, NOT_LOOKED_AT, Look
from tests.gallery.walk import Walk, walk
from tests.harness.servers import Servers

pytestmark = [
    pytest.mark.browser,
    # The development server forgets a static file whose reader has gone to another page; Granian does not.
    pytest.mark.filterwarnings("ignore:Exception ignored in. <_io.FileIO:pytest.PytestUnraisableExceptionWarning"),
]


FIRST = {look.endpoint: look for look in reversed(LOOKS)}
STATES = [look if look in FIRST.values() else pytest.param(look, marks=pytest.mark.slow) for look in LOOKS]
"""Every page, and in `make slow` in its other states too."""


@pytest.fixture(scope="module")
def gallery(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gallery]:
    with opened(servers, tmp_path_factory.mktemp("gallery")) as open_gallery:
        yield open_gallery


@pytest.fixture(scope="module")
def walking(gallery: Gallery) -> Iterator[Walk]:
    with walk(gallery) as through:
        yield through


def test_every_page_of_the_url_map_is_looked_at(gallery: Gallery) -> None:
    excused = {endpoint for endpoints in NOT_LOOKED_AT.values() for endpoint in endpoints.split()}
    pages = {
        rule.endpoint
        for rule in gallery.app.url_map.iter_rules()
        if "GET" in (rule.methods or ())
        and not isinstance(ROUTES[rule.endpoint], Scope)
        and ROUTES[rule.endpoint] is not Door.MACHINE
    }
    assert pages == {look.endpoint for look in LOOKS} | excused


@pytest.mark.parametrize("look", STATES, ids=lambda look: look.name)
def test_a_page_can_be_read_and_used_by_everybody_on_every_screen(walking: Walk, look: Look) -> None:
    page = walking.go(look)
    found = [*walking.complaints(), *walking.out_of_sight(1280), *walking.out_of_sight(1920)]
    page.emulate_media(color_scheme="dark")
    found += walking.out_of_sight(360)
    if look in FIRST.values():  # its other states have the same colours
        found += walking.complaints_in_another_light()
    assert not found, "\n".join(found)
