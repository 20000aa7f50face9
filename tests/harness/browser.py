import shutil


def find() -> str | None:
    """Path of the Chromium that is installed here, if any."""
    return shutil.which("chromium") or shutil.which("chromium-browser")
