"""What the on-premises API's own error codes mean; a Cloud API code that is handed through keeps its meaning.

Codes as in Meta's "On-premises API error codes"; the numbers of the two APIs do not overlap.
"""

from bot.language import later
from bot.providers import cloud_codes
from bot.providers.base import Action

_BY_ACTION: dict[Action, tuple[int, ...]] = {
    Action.THROTTLE: (1015,),
    Action.RETRY: (1011, 1016, 1017, 1018, 2002),
    Action.UNKNOWN: (1000, 1014, 1023),
    Action.FAIL: (470, 472, 480, 1001, 1002, 1004, 1006, 1008, 1009, 1010, 1013, 1021, 1025, 1026),
    Action.STOP_BROADCAST: (2000, 2001, 2003, 2004, 2005, 2006, 2007, 2008),
    Action.STOP_NUMBER: (402, 471, 1005, 1022, 1024, 1031),
}

ACTIONS: dict[int, Action] = cloud_codes.ACTIONS | {
    code: action for action, codes in _BY_ACTION.items() for code in codes
}

MEANINGS: dict[int, str] = cloud_codes.MEANINGS | {
    402: later("the account has a payment problem"),
    470: later("the 24-hour window is closed: only a template may be sent"),
    471: later("the number is limited because too many people blocked or reported it"),
    472: later("this person is in an experiment without marketing messages"),
    480: later("the person's identity has changed"),
    1000: later("the provider failed without saying how"),
    1001: later("the message is too long"),
    1005: later("access was denied"),
    1006: later("something the message refers to was not found"),
    1008: later("a required parameter is missing"),
    1009: later("a parameter's value is not valid"),
    1010: later("a parameter is not known"),
    1011: later("the provider's server is not ready"),
    1013: later("the address is not a WhatsApp user"),
    1014: later("the provider failed without saying how"),
    1015: later("the number sends too fast"),
    1016: later("the provider's server is overloaded"),
    1024: later("the provider wants its password changed"),
    1026: later("the person's app cannot show this kind of message"),
    1031: later("the account is locked"),
    2000: later("the number of the template's parameters does not match"),
    2001: later("the template does not exist in this language or is not approved"),
    2002: later("the provider could not load the template"),
    2004: later("a template parameter has the wrong format"),
    2005: later("the filled-in template is too long"),
    2006: later("the template's text breaks a policy"),
}

OPT_OUTS: dict[int, str] = cloud_codes.OPT_OUTS
"""None of the old API's own codes says it."""
