"""The web server, made safe to stop."""

import _thread

from granian.server import MPServer


class WebServer(MPServer):
    """Granian's server, which hangs for ever when SIGTERM comes twice at once, or just as it begins to wait."""

    def signal_handler_interrupt(self, *_args: object, **_named: object) -> None:
        # A handler runs in the middle of whatever the main thread does, and an Event's lock is not reentrant: set()
        # amid its own wait() or set() waits for itself. Another thread only waits for the main one to go on.
        self.interrupt_signal = True
        _thread.start_new_thread(self.main_loop_interrupt.set, ())
