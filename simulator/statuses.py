from simulator.callbacks import Callbacks
from simulator.chats import Sent
from simulator.config import Config
from simulator.faults import draw, pick_status_faults
from simulator.updates import StatusUpdate

Step = tuple[str, float]


def plan_statuses(config: Config, callbacks: Callbacks, sent: Sent, *, at_once: bool = False) -> None:
    """Schedule what the business will hear about an accepted message; `at_once` leaves out the usual delays."""
    times = config.statuses
    if not times.enabled:
        return
    if sent.failed_code:
        callbacks.schedule(StatusUpdate(sent, "failed"), times.sent_ms)
        return
    faults = pick_status_faults(config, sent)
    steps = _regular(config, sent)
    if faults:
        steps = _spoil(config, sent, steps, faults)
    for status, delay_ms in steps:
        update = StatusUpdate(sent, status, echo="no_callback_data" not in faults)
        callbacks.schedule(update, 0 if at_once else delay_ms)


def _regular(config: Config, sent: Sent) -> list[Step]:
    times = config.statuses
    steps = [("sent", times.sent_ms)]
    if sent.kind == "reaction":
        return steps  # The provider reports nothing more of a reaction.
    steps.append(("delivered", times.delivered_ms))
    share, person = times.read_share, sent.contact
    # With a phone page open the person behind it decides what is read.
    if not person.attended and (share >= 1 or draw(config.seed, "read", person.address, sent.nth) < share):
        steps.append(("read", times.read_ms))
    return steps


def _spoil(config: Config, sent: Sent, steps: list[Step], faults: frozenset[str]) -> list[Step]:
    times = config.statuses
    for ending, sequence in ENDINGS.items():
        if ending in faults:
            known = {"sent": times.sent_ms, "delivered": times.delivered_ms, "failed": times.delivered_ms}
            later = times.read_ms if len(sequence) == 3 else times.delivered_ms
            steps = [(name, later if place == 2 else known[name]) for place, name in enumerate(sequence)]
    if "read_without_delivered" in faults:
        steps = [("sent", times.sent_ms), ("read", times.read_ms)]
    if "loss" in faults:
        lost = int(draw(config.seed, "lost", sent.contact.address, sent.nth) * len(steps))
        steps = steps[:lost] + steps[lost + 1 :]
    if "order" in faults:
        steps = _permuted(config, sent, steps)
    if "repeat" in faults:
        steps = steps + steps
    if "delay" in faults:
        steps = [(name, delay + config.faults.status_delay_ms) for name, delay in steps]
    return steps


ENDINGS = {
    "never_delivered": ("sent",),
    "fail_later": ("sent", "failed"),
    "delivered_then_failed": ("sent", "delivered", "failed"),
    "failed_then_delivered": ("sent", "failed", "delivered"),
}


def _permuted(config: Config, sent: Sent, steps: list[Step]) -> list[Step]:
    """The same statuses at the same moments, but never in their usual order."""
    names = [name for name, _ in steps]
    moments = [delay for _, delay in steps]
    turn = int(draw(config.seed, "turn", sent.contact.address, sent.nth) * len(names))
    shuffled = list(reversed(names)) if turn == 0 else names[turn:] + names[:turn]
    return list(zip(shuffled, moments, strict=True))
