"""What the tests do with real devices, in a process whose PortAudio sees the virtual ones."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from hardware.loudspeaker_sounddevice import SounddeviceLoudspeaker
from hardware.microphone_sounddevice import Recovery, SounddeviceMicrophone
from hardware.recordings import read_recording


def say(**result: object) -> None:
    print(json.dumps(result), flush=True)


def hear(file: str) -> None:
    """Play a recording into the virtual microphone, and listen."""
    from tests.voice.speech import embedded_ear
    from voice.ear_thread import EarThread
    from voice.heard import Wake
    from voice.listening import EarEvent, Understood

    events: list[EarEvent] = []
    microphone = SounddeviceMicrophone("pulse")
    ear = EarThread(
        microphone=microphone,
        ear=embedded_ear(),
        on_event=events.append,
        on_trouble=lambda error: say(trouble=str(error)),
    )
    ear.start()
    subprocess.run(["paplay", "--device=mic_pipe", file], check=True)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and not any(isinstance(one, Understood) for one in events):
        time.sleep(0.05)
    health = microphone.health
    ear.close()
    texts = [one.hearing.text for one in events if isinstance(one, Understood)]
    say(woken=any(isinstance(one, Wake) for one in events), texts=texts, overruns=health.overruns)


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
    acts: dict[str, Callable[..., None]] = {"hear": hear, "play": play, "unplug": unplug}
    acts[sys.argv[1]](*sys.argv[2:])
