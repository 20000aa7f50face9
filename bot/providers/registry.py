from bot.providers.base import Provider
from bot.providers.cloud import Cloud
from bot.providers.dialog360 import Dialog360
from bot.providers.kaleyra_v1 import KaleyraV1
from bot.providers.kaleyra_v2 import KaleyraV2
from bot.providers.onpremise import OnPremise
from bot.providers.turn import Turn
from bot.providers.twilio import Twilio

PROVIDERS: dict[str, Provider] = {
    "cloud": Cloud(),
    "360dialog": Dialog360(),
    "kaleyra-v1": KaleyraV1(),
    "kaleyra-v2": KaleyraV2(),
    "turn": Turn(),
    "onpremise": OnPremise(),
    "twilio": Twilio(),
}
"""A connection's `provider` column to the one that speaks for it."""
