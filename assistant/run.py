"""The appliance in one process: sound, conversation, night, copies, tidying; ordered start and stop."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from assistant.appliance.appliance import Appliance, TurnTaken
from assistant.appliance.listening_thread import ListeningThread
from assistant.conversation.whole_commands import WholeCommands
from assistant.house import House, open_house
from assistant.journal import TurnLatencies
from assistant.night_house import process_name, real_time
from assistant.servers import Installation
from assistant.settings import LampSettings
from assistant.speech import open_ear, open_speakers
from assistant.speech_models import models_in_use
from hardware.button import Button
from hardware.errors import PinsUnavailable
from hardware.lamp import Lamp, SimulatedLamp
from hardware.loudspeaker import Loudspeaker
from hardware.loudspeaker_sounddevice import SounddeviceLoudspeaker
from hardware.microphone import Microphone
from hardware.microphone_sounddevice import SounddeviceMicrophone
from mcp_tencent.gateway.errors import StoreUnavailable
from voice.errors import VoiceError
from voice.models import ChosenModel
from voice.speakers import SpeakerCheck
from voice.speaking import Mouth
from voice.synthesizer_pyttsx3 import Pyttsx3Synthesizer

_TRY_SOUND_AGAIN_AFTER_S = 5.0
_LOOK_FOR_COPIES_EVERY_S = 60.0
_TIDY_EVERY_S = 24 * 3600.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """What the appliance hears, speaks and shows with.

    Args:
        microphone: Where sound comes from.
        loudspeaker: Where it goes.
        lamp: Shows what it is doing.
        talk: Wakes it when pressed, where there is such a button.
        mute: Mutes it, and unmutes it, where there is such a button.
    """

    microphone: Microphone
    loudspeaker: Loudspeaker
    lamp: Lamp
    talk: Button | None = None
    mute: Button | None = None


async def run(
    installation: Installation,
    *,
    stopped: asyncio.Event,
    told: Callable[[str], None],
    body: Body | None = None,
) -> None:
    """Be the appliance until `stopped` is set.

    Args:
        installation: From what it is composed.
        stopped: Ends it; no step of durable work is lost, for every step is on record.
        told: Takes what is worth a line on the console.
        body: Other ears and mouths than the configured ones.
    """
    settings = installation.settings
    models = models_in_use(installation.home, settings.models)
    for line in told_models(models):
        told(line)
    if not installation.accounts:
        told("No cloud account is configured: questions about clusters are answered with that.")
    check = await asyncio.to_thread(open_speakers, models)
    async with AsyncExitStack() as stack:
        opened = open_house(installation, real_time(), executor_id=process_name("appliance"), triggered=True)
        house = await stack.enter_async_context(opened)
        appliance = await stack.enter_async_context(
            at_work(house, check, models, body or configured_body(installation, told))
        )
        work = [
            asyncio.create_task(one)
            for one in (
                appliance.run(),
                _again_and_again(house.send_copies, every_s=_LOOK_FOR_COPIES_EVERY_S),
                _again_and_again(house.forget_old_turns, every_s=_TIDY_EVERY_S),
            )
        ]
        # What is there now stays: no collection need go through it again, and make an answer wait.
        gc.freeze()
        gc.enable()
        told(f"{settings.robot.name} listens for “{settings.robot.wake_phrase}”; stop with Ctrl-C.")
        await _until_stopped(stopped, work)


@asynccontextmanager
async def at_work(
    house: House, check: SpeakerCheck, models: Sequence[ChosenModel], body: Body
) -> AsyncIterator[Appliance]:
    """Put an appliance together upon the house; at the end it falls silent and lets its body go."""
    settings = house.installation.settings
    synthesizer = Pyttsx3Synthesizer()
    mouth = Mouth(
        synthesizer,
        body.loudspeaker,
        volume_percent=settings.audio.volume_percent,
        speed_percent=settings.audio.speed_percent,
    )
    whole = WholeCommands(house.clock)
    ear = await asyncio.to_thread(
        lambda: open_ear(
            models,
            settings.robot.wake_phrase,
            being_said=lambda: _being_said(mouth),
            whole_command=whole,
        )
    )
    loop = asyncio.get_running_loop()
    voices = house.voices(check)
    _tell_of_voices(voices.known)
    writing: set[asyncio.Task[None]] = set()

    def taken(turn: TurnTaken) -> None:
        task = loop.create_task(_written(house, turn))
        writing.add(task)
        task.add_done_callback(writing.discard)

    appliance = Appliance(
        listening=ListeningThread(body.microphone, ear, loop, try_again_after_s=_TRY_SOUND_AGAIN_AFTER_S),
        mouth=mouth,
        lamp=body.lamp,
        conversation=house.conversation,
        voices=voices,
        claims=house.claims,
        clock=house.installation.wall,
        expecting=whole.expect,
        taken=taken,
    )
    house.controls.attach(appliance)
    if body.talk is not None:
        body.talk.when_pressed(lambda: _call(loop, appliance.talk))
    if body.mute is not None:
        body.mute.when_pressed(lambda: _call(loop, appliance.toggle_mute))
    try:
        yield appliance
    finally:
        house.controls.attach(None)
        await appliance.leave()
        await asyncio.gather(*writing)
        for part in (body.talk, body.mute, body.lamp, body.loudspeaker, synthesizer):
            if part is not None:
                await asyncio.to_thread(part.close)


def configured_body(installation: Installation, told: Callable[[str], None]) -> Body:
    """Return the sound card, lamp and buttons that the settings name."""
    settings = installation.settings
    return Body(
        microphone=SounddeviceMicrophone(settings.audio.microphone),
        loudspeaker=SounddeviceLoudspeaker(settings.audio.loudspeaker),
        lamp=_lamp(settings.lamp, told),
        talk=_button(settings.buttons.talk_pin, told),
        mute=_button(settings.buttons.mute_pin, told),
    )


def told_models(models: Sequence[ChosenModel]) -> list[str]:
    """Return one line for each speech model in use."""
    return [f"{one.model.use.value}: {one.model.name} ({one.why})" for one in models]


async def _until_stopped(stopped: asyncio.Event, work: Sequence[asyncio.Task[object]]) -> None:
    waiting = asyncio.create_task(stopped.wait())
    await asyncio.wait({waiting, *work}, return_when=asyncio.FIRST_COMPLETED)
    for task in (waiting, *work):
        task.cancel()
    outcomes = await asyncio.gather(waiting, *work, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, Exception):
            raise outcome


async def _again_and_again(act: Callable[[], Awaitable[int]], *, every_s: float) -> None:
    """Do something regularly; a store that does not answer is tried again next time."""
    while True:
        try:
            await act()
        except StoreUnavailable as error:
            _log.warning("put off: %s", error)
        await asyncio.sleep(every_s)


async def _written(house: House, turn: TurnTaken) -> None:
    answer = turn.answer
    latencies = TurnLatencies(
        endpointing_ms=round(turn.pause_s * 1000),
        speaker_ms=turn.speaker_ms,
        planning_ms=answer.planning_ms,
        tools_ms=answer.tools_ms,
        first_word_ms=turn.first_word_ms,
    )
    await house.write_down(turn.heard, answer, latencies)


def _being_said(mouth: Mouth) -> str | None:
    playing = mouth.reference
    return None if playing is None else playing.text


def _call(loop: asyncio.AbstractEventLoop, act: Callable[[], None]) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(act)


def _tell_of_voices(known: Callable[[], Sequence[object]]) -> None:
    try:
        if not known():
            _log.warning("nobody's voice is enrolled: everybody is a stranger until somebody is")
    except VoiceError as error:
        _log.warning("nobody can be recognised: %s. %s", error, error.hint)


def _lamp(settings: LampSettings | None, told: Callable[[str], None]) -> Lamp:
    if settings is None:
        return SimulatedLamp()
    try:
        from hardware.lamp_gpiozero import GpiozeroLamp

        return GpiozeroLamp(
            red_pin=settings.red_pin,
            green_pin=settings.green_pin,
            blue_pin=settings.blue_pin,
            active_high=settings.active_high,
        )
    except (PinsUnavailable, ModuleNotFoundError) as error:
        told(f"The lamp stays dark: {error}")
        return SimulatedLamp()


def _button(pin: int | None, told: Callable[[str], None]) -> Button | None:
    if pin is None:
        return None
    try:
        from hardware.button_gpiozero import GpiozeroButton

        return GpiozeroButton(pin)
    except (PinsUnavailable, ModuleNotFoundError) as error:
        told(f"A button does nothing: {error}")
        return None
