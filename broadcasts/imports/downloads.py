"""The file of an import as it leaves again: piece by piece, whatever its size."""

from collections.abc import Iterator

from broadcasts.imports import files
from broadcasts.imports.imports import Listed


def original(transaction: files.Transaction, listed: Listed) -> Iterator[bytes]:
    """The file as it was uploaded, byte for byte."""
    with files.open_file(transaction, listed.run.file_id) as file:
        while data := file.read(files.PIECE_BYTES):
            yield data
