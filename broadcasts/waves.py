"""The order in which parts of an audience get a broadcast: a few first, then its trial, then the rest."""

from typing import Final

CANARY: Final = 0
TRIAL: Final = 1
REST: Final = 2
