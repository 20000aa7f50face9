"""How pages name a state, and its tone: good, busy, warn, bad or quiet."""

from bot.language import later
from bot.models.words import BroadcastState, ImportState

BROADCAST = {
    BroadcastState.DRAFT: (later("Draft"), "quiet"),
    BroadcastState.APPROVAL: (later("Waits for a yes"), "warn"),
    BroadcastState.SCHEDULED: (later("Scheduled"), "busy"),
    BroadcastState.MATERIALISING: (later("Preparing"), "busy"),
    BroadcastState.RUNNING: (later("Sending"), "busy"),
    BroadcastState.PAUSED: (later("Paused"), "warn"),
    BroadcastState.FINISHED: (later("Finished"), "good"),
    BroadcastState.CANCELLED: (later("Cancelled"), "quiet"),
}

TEMPLATE = {
    "APPROVED": (later("Approved"), "good"),
    "PENDING": (later("In review"), "busy"),
    "IN_APPEAL": (later("In appeal"), "busy"),
    "REJECTED": (later("Rejected"), "bad"),
    "PAUSED": (later("Paused"), "warn"),
    "DISABLED": (later("Disabled"), "bad"),
    "LIMIT_EXCEEDED": (later("Limit exceeded"), "warn"),
    "UNSUBMITTED": (later("Not submitted"), "quiet"),
    "ARCHIVED": (later("Archived"), "quiet"),
    "PENDING_DELETION": (later("Being deleted"), "quiet"),
    "DELETED": (later("Deleted"), "quiet"),
}
"""A provider may have others; they are shown as it says them."""

QUALITY = {
    "GREEN": (later("High quality"), "good"),
    "YELLOW": (later("Medium quality"), "warn"),
    "RED": (later("Low quality"), "bad"),
}

IMPORT = {
    ImportState.CHECKING: (later("Checking"), "busy"),
    ImportState.READY: (later("To confirm"), "warn"),
    ImportState.WAITING: (later("Waiting"), "busy"),
    ImportState.RUNNING: (later("Importing"), "busy"),
    ImportState.FINISHED: (later("Imported"), "good"),
    ImportState.FAILED: (later("Refused"), "bad"),
    ImportState.CANCELLED: (later("Cancelled"), "quiet"),
    ImportState.UNDOING: (later("Undoing"), "busy"),
    ImportState.UNDONE: (later("Undone"), "quiet"),
}

SAID = (
    *(later("draft"), later("approval"), later("scheduled"), later("materialising"), later("running"), later("paused")),
    *(later("finished"), later("cancelled"), later("checking"), later("ready"), later("waiting"), later("failed")),
    *(later("undoing"), later("undone"), later("active"), later("broadcast"), later("import"), later("segment")),
    *(later("reminder"), later("marketing"), later("utility"), later("authentication"), later("image"), later("video")),
    *(later("document"), later("body"), later("footer"), later("header"), later("Marketing"), later("Utility")),
    later("Authentication"),
)
"""Words of ours in the middle of a sentence: states, kinds and categories as refusals and pages write them."""
