"""How pages name a state, and its tone: good, busy, warn, bad or quiet."""

from bot.models.words import BroadcastState, ImportState

BROADCAST = {
    BroadcastState.DRAFT: ("Draft", "quiet"),
    BroadcastState.APPROVAL: ("Waits for a yes", "warn"),
    BroadcastState.SCHEDULED: ("Scheduled", "busy"),
    BroadcastState.MATERIALISING: ("Preparing", "busy"),
    BroadcastState.RUNNING: ("Sending", "busy"),
    BroadcastState.PAUSED: ("Paused", "warn"),
    BroadcastState.FINISHED: ("Finished", "good"),
    BroadcastState.CANCELLED: ("Cancelled", "quiet"),
}

TEMPLATE = {
    "APPROVED": ("Approved", "good"),
    "PENDING": ("In review", "busy"),
    "IN_APPEAL": ("In appeal", "busy"),
    "REJECTED": ("Rejected", "bad"),
    "PAUSED": ("Paused", "warn"),
    "DISABLED": ("Disabled", "bad"),
    "LIMIT_EXCEEDED": ("Limit exceeded", "warn"),
    "UNSUBMITTED": ("Not submitted", "quiet"),
    "ARCHIVED": ("Archived", "quiet"),
    "PENDING_DELETION": ("Being deleted", "quiet"),
    "DELETED": ("Deleted", "quiet"),
}
"""A provider may have others; they are shown as it says them."""

QUALITY = {
    "GREEN": ("High quality", "good"),
    "YELLOW": ("Medium quality", "warn"),
    "RED": ("Low quality", "bad"),
}

IMPORT = {
    ImportState.CHECKING: ("Checking", "busy"),
    ImportState.READY: ("To confirm", "warn"),
    ImportState.WAITING: ("Waiting", "busy"),
    ImportState.RUNNING: ("Importing", "busy"),
    ImportState.FINISHED: ("Imported", "good"),
    ImportState.FAILED: ("Refused", "bad"),
    ImportState.CANCELLED: ("Cancelled", "quiet"),
    ImportState.UNDOING: ("Undoing", "busy"),
    ImportState.UNDONE: ("Undone", "quiet"),
}
