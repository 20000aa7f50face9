from bot.providers.base import Provider
from bot.providers.cloud import Cloud
from bot.providers.kaleyra_v1 import KaleyraV1
from bot.providers.kaleyra_v2 import KaleyraV2

PROVIDERS: dict[str, Provider] = {
    "cloud": Cloud(),
    "kaleyra-v1": KaleyraV1(),
    "kaleyra-v2": KaleyraV2(),
}
"""A connection's `provider` column to the one that speaks for it."""
