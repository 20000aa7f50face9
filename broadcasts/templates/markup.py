"""What WhatsApp makes of the marks in a text, for previews: *bold*, _italic_, ~struck~, ```code```; and of slots."""

import re

from markupsafe import Markup, escape

_MARKS = (
    (re.compile(r"```(.+?)```", re.DOTALL), r"<code>\1</code>"),
    (re.compile(r"(?<!\w)\*(?=\S)([^*\n]+?)(?<=\S)\*(?!\w)"), r"<b>\1</b>"),
    (re.compile(r"(?<!\w)_(?=\S)([^_\n]+?)(?<=\S)_(?!\w)"), r"<i>\1</i>"),
    (re.compile(r"(?<!\w)~(?=\S)([^~\n]+?)(?<=\S)~(?!\w)"), r"<s>\1</s>"),
    (re.compile(r"\{\{\s*(\w+)\s*\}\}"), r'<span class="variable">{{\1}}</span>'),
    (re.compile(r"(&lt;&lt;\s*user\..+?&gt;&gt;)"), r'<span class="variable">\1</span>'),
)


def shown(text: str) -> Markup:
    """Escaped first: only our own tags are tags."""
    found = str(escape(text))
    for pattern, tag in _MARKS:
        found = pattern.sub(tag, found)
    return Markup(found)  # noqa: S704 (escaped above)
