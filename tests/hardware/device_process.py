"""What the tests do with real devices, in a process whose PortAudio sees the virtual ones."""

import asyncio
import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from hardware.audio import AudioClip
from hardware.loudspeaker_sounddevice import SounddeviceLoudspeaker
from hardware.microphone_sounddevice import Recovery, SounddeviceMicrophone
from hardware.recordings import read_recording


def say(**result: object) -> None:
    print(json.dumps(result), flush=True)


def hear(file: str) -> None:
    """Play a recording into the virtual microphone, and listen."""
    asyncio.run(_hear(file))


async def _hear(file: str) -> None:
    from assistant.appliance.listening_thread import ListeningThread, SoundEnded
    from tests.voice.speech import embedded_ear
    from voice.heard import Wake
    from voice.listening import Understood

    microphone = SounddeviceMicrophone("pulse")
    listening = ListeningThread(microphone, embedded_ear(), asyncio.get_running_loop())
    listening.start()
    playing = await asyncio.create_subprocess_exec("paplay", "--device=mic_pipe", file)
    woken = False
    texts: list[str] = []
    try:
        async with asyncio.timeout(20):
            while not texts:
                event = await listening.events.get()
                woken = woken or isinstance(event, Wake)
                if isinstance(event, Understood):
                    texts.append(event.hearing.text)
                elif isinstance(event, SoundEnded):
                    say(trouble=str(event.error))
                    return
    except TimeoutError:
        say(trouble="nothing was understood")
    health = microphone.health
    await playing.wait()
    await asyncio.to_thread(listening.stop)
    say(woken=woken, texts=texts, overruns=health.overruns)


def play(file: str, after_s: str) -> None:
    """Play a recording through the loudspeaker, and stop it after a while."""
    loudspeaker = SounddeviceLoudspeaker("pulse")
    first = loudspeaker.play(read_recording(Path(file)), "第一句")
    second = loudspeaker.play(read_recording(Path(file)), "第二句")
    first.wait(float(after_s))
    playing = loudspeaker.playing
    loudspeaker.stop()
    ended = [first.wait(1), second.wait(1)]
    states = [first.state, second.state]
    loudspeaker.close()
    say(ended=ended, states=states, playing=playing.text if playing else None, played_s=first.played_s)


def stop(file: str, recorded: str) -> None:
    """Stop a long sound again and again; tell how much of it was recorded behind each stop."""
    loudspeaker = SounddeviceLoudspeaker("pulse")
    clip = read_recording(Path(file))
    behind_s = []
    for turn in range(5):
        loudspeaker.play(clip).wait(0.5 + turn / 100)
        loudspeaker.stop()
        mark = Path(recorded).stat().st_size // 2
        loudspeaker.play(AudioClip(samples=np.zeros(8_000, np.int16))).wait(5)
        heard = np.fromfile(recorded, np.int16)
        behind_s.append((np.flatnonzero(np.abs(heard) > 100)[-1] - mark) / 16_000)
    loudspeaker.close()
    say(behind_s=behind_s)


def unplug() -> None:
    """Lose the server under an open microphone; the test starts it anew when it reads 'lost'."""
    quick = Recovery(lost_after_s=0.6, first_pause_s=0.1, longest_pause_s=0.3)
    microphone = SounddeviceMicrophone("pulse", recovery=quick)
    chunks = microphone.chunks()
    next(chunks)
    say(state=microphone.health.state)
    import threading

    done = threading.Event()

    def watch() -> None:
        while microphone.health.state != "lost" and not done.wait(0.05):
            pass
        say(state=microphone.health.state)

    watcher = threading.Thread(target=watch)
    watcher.start()
    for _chunk in chunks:
        if microphone.health.reopened:
            break
    done.set()
    watcher.join()
    health = microphone.health
    say(state=health.state, reopened=health.reopened)
    microphone.close()
    list(chunks)


if __name__ == "__main__":
    acts: dict[str, Callable[..., None]] = {"hear": hear, "play": play, "stop": stop, "unplug": unplug}
    acts[sys.argv[1]](*sys.argv[2:])
