"""An S3 server as a process of its own, with one bucket: nanio, which checks every signature."""

import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.harness.children import Child, wait_until
from tests.harness.house import free_port

ACCESS_KEY, SECRET_KEY, BUCKET = "media-key", "a-secret-for-media-alone", "files"


@dataclass(frozen=True)
class S3:
    url: str
    folder: Path
    """Where its objects lie as files."""
    child: Child

    def settings(self, prefix: str = "backchat", **more: str) -> dict[str, str]:
        """The environment variables that lead here."""
        return {
            "BACKCHAT_MEDIA": f"s3://{BUCKET}/{prefix}",
            "BACKCHAT_S3_ENDPOINT": self.url,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        } | more


@contextmanager
def running(folder: Path) -> Iterator[S3]:
    port = free_port()
    (folder / "objects" / BUCKET).mkdir(parents=True)
    command = [sys.executable, "-m", "nanio", "serve", "--host", "127.0.0.1", "--port", str(port)]
    told = {"NANIO_ACCESS_KEY": ACCESS_KEY, "NANIO_SECRET_KEY": SECRET_KEY, "NANIO_DATA_DIR": str(folder / "objects")}
    child = Child("bucket", command, told, folder)
    child.start()
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: _answers(child, url), "the bucket to answer")
        yield S3(url, folder / "objects" / BUCKET, child)
    finally:
        child.stop()


def _answers(child: Child, url: str) -> bool:
    assert child.alive(), child.output()
    try:
        urllib.request.urlopen(url, timeout=5)
    except urllib.error.HTTPError:  # nobody signed this
        return True
    except (urllib.error.URLError, OSError):
        return False
    return True
