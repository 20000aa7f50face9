"""What each error code of the Cloud API means for the outbox: the table of docs/sending.md as data.

Codes as in Meta's "Cloud API error codes" and "Graph API error handling" pages. A code decides, not the HTTP status:
the pages list throttles as 400 and live traffic shows 429.
"""

from bot.language import later
from bot.providers.base import Action

_BY_ACTION: dict[Action, tuple[int, ...]] = {
    Action.THROTTLE: (4, 80007, 130429, 133016),
    Action.PAIR: (131056,),
    Action.RETRY: (2, 131016, 131053, 131057, 133004),
    Action.UNKNOWN: (1, 131000),
    Action.FAIL: (
        *(100, 130472, 130497, 130501, 131008, 131009, 131021, 131026, 131030),
        *(131047, 131051, 131062, 135000, 137000),
    ),
    Action.OPTED_OUT: (131050,),
    Action.COOL_DOWN: (131049,),
    Action.STOP_BROADCAST: (
        *(131055, 131063, 132000, 132001, 132005, 132007, 132012, 132015, 132016, 132068, 132069),
        *(134100, 134101, 134102),
    ),
    Action.STOP_NUMBER: (
        *(0, 3, 10, 33, 190, *range(200, 300), 368),
        *(131005, 131031, 131037, 131042, 131045, 131048, 131064, 133010, 134011),
    ),
}

ACTIONS: dict[int, Action] = {code: action for action, codes in _BY_ACTION.items() for code in codes}

REFUSED_BEFORE_WORK = frozenset({131016, 133004})
"""Named unavailability: even on a 5xx it says that nothing was sent."""

MEANINGS: dict[int, str] = {
    1: later("the provider failed without saying how"),
    4: later("the app makes too many calls"),
    10: later("the token lacks a permission for this number"),
    33: later("the number is not known under this account"),
    100: later("a parameter is wrong or missing"),
    190: later("the access token is not valid"),
    368: later("the account is blocked for a policy violation"),
    80007: later("the WhatsApp account makes too many calls"),
    130429: later("the number sends too fast"),
    130472: later("this person is in an experiment without marketing messages"),
    130497: later("this account may not write to this country"),
    131000: later("the provider failed without saying how"),
    131005: later("access was denied"),
    131008: later("a required parameter is missing"),
    131009: later("a parameter's value is not valid"),
    131016: later("the provider is not available"),
    131021: later("the number cannot write to itself"),
    131026: later("the message cannot be delivered to this address"),
    131030: later("the address is not on the test number's list"),
    131031: later("the account is locked"),
    131042: later("the account has a payment problem"),
    131047: later("the 24-hour window is closed: only a template may be sent"),
    131048: later("the number is limited because too many people blocked or reported it"),
    131049: later("this person gets enough marketing for now"),
    131050: later("this person has stopped marketing messages"),
    131051: later("this kind of message is not supported"),
    131053: later("a media file could not be uploaded"),
    131056: later("too many messages to this person in a short time"),
    131057: later("the number is being upgraded"),
    131062: later("this template needs a phone number"),
    132000: later("the number of the template's parameters does not match"),
    132001: later("the template does not exist in this language or is not approved"),
    132005: later("the filled-in template is too long"),
    132007: later("the template's text breaks a policy"),
    132012: later("a template parameter has the wrong format"),
    132015: later("the template is paused"),
    132016: later("the template is disabled"),
    133004: later("the provider's server is not available"),
    133010: later("the number is not registered"),
    137000: later("the person's identity has changed"),
}
"""A sentence for the operator; the provider's own wording may repeat what was sent, so it is not kept."""

OPT_OUTS: dict[int, str] = {code: MEANINGS[code] for code, action in ACTIONS.items() if action is Action.OPTED_OUT}
