"""The ear in its thread: sound in, events out over a bounded queue, orders in between two pieces of sound."""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Callable

from hardware.errors import HardwareError
from hardware.microphone import DeviceState, Microphone
from voice.listening import Ear, EarEvent

_WAITING_EVENTS = 256
_WAITING_ORDERS = 64
_OBEYING_S = 0.1
_log = logging.getLogger(__name__)


class DeviceChanged:
    """The microphone was lost, or is back."""

    def __init__(self, state: DeviceState) -> None:
        self.state = state


class SoundEnded:
    """There is no more sound: a recording is over, or the microphone was closed or never opened.

    Attributes:
        error: Why, if that was not meant.
    """

    def __init__(self, error: HardwareError | None = None) -> None:
        self.error = error


Heard = EarEvent | DeviceChanged | SoundEnded


class ListeningThread:
    """Runs the ear on a microphone, and hands what it hears to an event loop.

    Args:
        microphone: Where sound comes from.
        ear: What listens.
        loop: Where `events` is read.
        try_again_after_s: So long after a microphone could not be opened it is tried again; None: never.
    """

    def __init__(
        self,
        microphone: Microphone,
        ear: Ear,
        loop: asyncio.AbstractEventLoop,
        *,
        try_again_after_s: float | None = None,
    ) -> None:
        self.events: asyncio.Queue[Heard] = asyncio.Queue()
        self.dropped = 0
        self._microphone = microphone
        self._ear = ear
        self._loop = loop
        self._try_again_after_s = try_again_after_s
        self._stopping = threading.Event()
        self._orders: queue.Queue[Callable[[Ear], object]] = queue.Queue(maxsize=_WAITING_ORDERS)
        self._state = DeviceState.OPEN
        self._overruns = 0
        self._thread = threading.Thread(target=self._run, name="ear", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def order(self, order: Callable[[Ear], object]) -> None:
        """Have something done to the ear by its own thread, before the next piece of sound."""
        self._orders.put_nowait(order)

    def stop(self) -> None:
        """End, and wait until the thread has."""
        self._stopping.set()
        self._microphone.close()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()

    def _run(self) -> None:
        while True:
            error = self._listen()
            if error is None or self._try_again_after_s is None or self._stopping.is_set():
                self._tell(SoundEnded(error))
                return
            if self._state is not DeviceState.LOST:  # said once
                _log.warning("there is no microphone, it is tried again: %s", error)
                self._state = DeviceState.LOST
                self._tell(DeviceChanged(self._state))
            deadline = time.monotonic() + self._try_again_after_s
            while not self._stopping.wait(_OBEYING_S) and time.monotonic() < deadline:
                self._obey()

    def _listen(self) -> HardwareError | None:
        """Hear until the sound ends; return why, if that was not meant."""
        try:
            for chunk in self._microphone.chunks():
                self._obey()
                self._tell(*self._ear.hear(chunk))
                self._watch()
            self._obey()
            self._tell(*self._ear.finish())
        except HardwareError as problem:
            return problem
        return None

    def _obey(self) -> None:
        while True:
            try:
                order = self._orders.get_nowait()
            except queue.Empty:
                return
            order(self._ear)

    def _watch(self) -> None:
        health = self._microphone.health
        if health.overruns > self._overruns:
            _log.warning("the ear is too slow: %d pieces of sound lost so far", health.overruns)
            self._overruns = health.overruns
        state = health.state
        if state is not self._state:
            self._state = state
            self._tell(DeviceChanged(state))

    def _tell(self, *events: Heard) -> None:
        for event in events:
            if self.events.qsize() >= _WAITING_EVENTS and not isinstance(event, SoundEnded):
                self.dropped += 1
                continue
            if not self._loop.is_closed():  # nobody reads any more while the process ends
                self._loop.call_soon_threadsafe(self.events.put_nowait, event)
