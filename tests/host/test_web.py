"""The web server's way to end."""

from threading import Event, Thread

from bot.host.web import WebServer
from tests.harness.children import wait_until


def test_a_signal_to_stop_is_heard_even_while_the_server_begins_to_wait() -> None:
    server = object.__new__(WebServer)  # to be made, it would set up logging for this whole process
    server.main_loop_interrupt = Event()

    def be_told_while_waiting_begins() -> None:  # wait() holds the lock then, as set() does; signals come amid both
        with server.main_loop_interrupt._cond:  # type: ignore[attr-defined]
            server.signal_handler_interrupt()
            server.signal_handler_interrupt()

    Thread(target=be_told_while_waiting_begins, daemon=True).start()
    wait_until(server.main_loop_interrupt.is_set, "the server to hear of it", timeout_s=10)
    assert server.interrupt_signal
