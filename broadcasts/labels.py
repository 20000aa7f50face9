"""How pages name a state, and its tone: good, busy, warn, bad or quiet."""

from bot.models.words import BroadcastState, ImportState

BROADCAST = {
    BroadcastState.DRAFT: ("Draft", "quiet"),
    BroadcastState.MATERIALISING: ("Preparing", "busy"),
    BroadcastState.RUNNING: ("Sending", "busy"),
    BroadcastState.PAUSED: ("Paused", "warn"),
    BroadcastState.FINISHED: ("Finished", "good"),
    BroadcastState.CANCELLED: ("Cancelled", "quiet"),
}

IMPORT = {
    ImportState.WAITING: ("Waiting", "busy"),
    ImportState.RUNNING: ("Importing", "busy"),
    ImportState.FINISHED: ("Imported", "good"),
    ImportState.FAILED: ("Refused", "bad"),
    ImportState.CANCELLED: ("Cancelled", "quiet"),
}
