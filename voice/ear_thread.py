"""The ear at work in a thread of its own; the microphone's bounded queue is all that lies between."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from hardware.errors import HardwareError
from hardware.microphone import Microphone
from voice.listening import Ear, EarEvent

_log = logging.getLogger(__name__)


class EarThread:
    """Listens until it is closed.

    Args:
        microphone: Where sound comes from; closed with the thread.
        ear: What listens.
        on_event: Takes what was heard, in the ear's thread: it must hand on and not wait.
        on_trouble: Takes the reason when the microphone cannot be opened.
    """

    def __init__(
        self,
        *,
        microphone: Microphone,
        ear: Ear,
        on_event: Callable[[EarEvent], None],
        on_trouble: Callable[[HardwareError], None],
    ) -> None:
        self._microphone = microphone
        self._ear = ear
        self._on_event = on_event
        self._on_trouble = on_trouble
        self._follow_up = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ear", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def follow_up(self) -> None:
        """Listen for a follow-up question from now on; from any thread."""
        self._follow_up.set()

    def mute(self) -> None:
        """Forget every sound until unmuted; from any thread."""
        self._ear.muted = True

    def unmute(self) -> None:
        """Listen again."""
        self._ear.muted = False

    def close(self) -> None:
        """End; returns when the thread has ended."""
        self._microphone.close()
        if self._thread.ident is not None and self._thread is not threading.current_thread():
            self._thread.join()

    def join(self, timeout_s: float | None = None) -> bool:
        """Wait for the end of a recording; return whether it came."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        overruns = 0
        try:
            for chunk in self._microphone.chunks():
                if self._follow_up.is_set():
                    self._follow_up.clear()
                    self._ear.follow_up()
                for event in self._ear.hear(chunk):
                    self._on_event(event)
                lost = self._microphone.health.overruns
                if lost > overruns:
                    _log.warning("the ear is too slow: %d pieces of sound lost so far", lost)
                    overruns = lost
            for event in self._ear.finish():
                self._on_event(event)
        except HardwareError as error:
            self._on_trouble(error)
