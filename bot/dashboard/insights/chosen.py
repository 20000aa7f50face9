"""Days, and whose they are, stay chosen from page to page: they stand in each link."""

from flask import Blueprint, request

from bot.insights import choosing


def keep(pages: Blueprint) -> None:
    """Let each link of these pages to one another hand on what was chosen."""

    @pages.url_defaults
    def hand_on(_endpoint: str, values: dict[str, object]) -> None:
        if request and request.blueprint == pages.name:
            for word in choosing.WORDS:
                if request.args.get(word):
                    values.setdefault(word, request.args[word])
