import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.http import parse_options_header

from bot.media.names import MOST_CHARACTERS, disposition, safe_name


@pytest.mark.parametrize(
    "told, mime_type, name",
    [
        ("letter.pdf", "application/pdf", "letter.pdf"),
        ("Été à la plage.JPG", "image/jpeg", "Été à la plage.jpg"),
        ("رسالة.pdf", "application/pdf", "رسالة.pdf"),
        ("../../etc/passwd", None, "passwd"),
        ("C:\\Windows\\system32\\cmd.exe", None, "cmd.exe"),
        ("page.html", "image/png", "page.png"),
        ("a\r\nSet-Cookie: x=1\x00.pdf", None, "aSet-Cookie x=1.pdf"),
        ("photo\u202egpj.exe", None, "photogpj.exe"),
        ("...", None, "file-7"),
        ("/", None, "file-7"),
        ("a\uff02;\uff0fb\uff02\uff1b.pdf", None, "b.pdf"),
        ("", "audio/ogg", "file-7.ogg"),
        (None, None, "file-7"),
        (".htaccess", None, "file-7.htaccess"),
        ("\ud800.pdf", None, "file-7.pdf"),
    ],
)
def test_a_name_keeps_what_is_harmless_and_gets_the_ending_of_its_type(
    told: str | None, mime_type: str | None, name: str
) -> None:
    assert safe_name(told, mime_type, 7) == name


def test_a_long_name_is_cut_before_its_ending() -> None:
    name = safe_name("a" * 4096 + ".pdf", None, 7)
    assert len(name) == MOST_CHARACTERS
    assert name.endswith("a.pdf")


@given(st.text(max_size=5000))
def test_no_name_breaks_out_of_its_header(told: str) -> None:
    name = safe_name(told, None, 7)
    header = disposition("attachment", name)
    assert header.isascii()
    assert header.isprintable()
    way, options = parse_options_header(header)
    assert way == "attachment"
    assert options["filename"] == name
    assert name
    assert not {"/", "\\"} & set(name)
    assert len(header) < 2000
