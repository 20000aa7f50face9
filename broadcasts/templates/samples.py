"""The sample of a header that reviewers look at: checked here, then uploaded to the provider for a handle."""

from typing import Final

import filetype

from bot.connections import listing
from bot.connections.connections import account_of
from bot.language import _
from bot.models.connection import Connection
from bot.providers.base import Sample, TemplateMaker, TemplateRefusedError
from bot.runtime import Runtime
from broadcasts.templates.checks import Problem

LARGEST: Final = {"IMAGE": 5 * 1024**2, "VIDEO": 16 * 1024**2, "DOCUMENT": 16 * 1024**2}
"""Format of a header → bytes (documents may have 100 MB at WhatsApp; a sample needs not)."""
_KINDS: Final = {"IMAGE": ("image/jpeg", "image/png"), "VIDEO": ("video/mp4",), "DOCUMENT": ("application/pdf",)}
_LONGEST_NAME: Final = 120
PLACE: Final = "header.sample"


def read(format_: str, name: str, content: bytes) -> Sample | Problem:
    """What kind it is is read from its first bytes, whatever it is called."""
    kinds, most = _KINDS.get(format_, ()), LARGEST.get(format_, 0)
    if not kinds:
        return Problem(PLACE, _("This header shows no file: choose an image, a video or a document first."))
    kind = filetype.guess_mime(content)
    if kind not in kinds:
        told = " or ".join(each.partition("/")[2].upper() for each in kinds)
        return Problem(PLACE, _("The sample of this header is a file of the type %(told)s: choose one.", told=told))
    if len(content) > most:
        return Problem(PLACE, _("The file is larger than %(most)s MB: choose a smaller one.", most=most // 1024**2))
    return Sample(name[-_LONGEST_NAME:] or "sample", kind, content)


def upload(rt: Runtime, connection: Connection, maker: TemplateMaker, sample: Sample) -> str | Problem:
    """The handle. No transaction is open meanwhile; raises SealError."""
    account = account_of(connection, rt.settings)
    try:
        opened = listing.call(connection.slug, maker.open_sample(account, sample))
        status, body = listing.call(connection.slug, maker.send_sample(account, opened, sample))
        return maker.handle(status, body)
    except (listing.ListingError, TemplateRefusedError) as error:
        return Problem(PLACE, str(error))
