"""Virtual microphone and loudspeaker: a PulseAudio server of one's own, in a private folder."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Without norewinds a virtual sink mostly stops asking PortAudio for sound after the first buffer.
SINKS = (
    "module-native-protocol-unix",
    "module-null-sink sink_name=mic_pipe norewinds=1",
    "module-remap-source master=mic_pipe.monitor source_name=virtmic",
    "module-null-sink sink_name=speaker norewinds=1",
)
MISSING = [name for name in ("pulseaudio", "pactl", "paplay", "parec") if shutil.which(name) is None]


@contextmanager
def virtual_audio(folder: Path) -> Iterator[dict[str, str]]:
    """Yield the environment in which PortAudio finds the virtual devices."""
    runtime = folder / "run"
    runtime.mkdir(mode=0o700)
    (folder / ".asoundrc").write_text("pcm.!default { type pulse }\nctl.!default { type pulse }\n")
    environment = os.environ | {
        "XDG_RUNTIME_DIR": str(runtime),
        "HOME": str(folder),
        "PULSE_SERVER": f"unix:{runtime}/pulse/native",
        "PULSE_SINK": "speaker",
        "PULSE_SOURCE": "virtmic",
    }
    modules = [part for one in SINKS for part in ("-L", one)]
    command = ["pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", *modules]
    with (folder / "pulse.log").open("w") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        _wait_until_up(environment)
        yield environment
    finally:
        server.terminate()
        server.wait(10)


def _wait_until_up(environment: dict[str, str]) -> None:
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        asked = subprocess.run(["pactl", "info"], env=environment, capture_output=True, check=False)
        if asked.returncode == 0:
            return
        time.sleep(0.05)
    raise RuntimeError("PulseAudio does not come up")
