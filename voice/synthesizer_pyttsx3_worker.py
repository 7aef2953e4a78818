"""The process in which pyttsx3 and espeak-ng live: one request a line on standard input, one answer a line.

They hang, crash and print; here they may. Run by `synthesizer_pyttsx3.py` only.

A request is `{"stretches": [[voice, words a minute, text, file]…]}`, its answer `{"done": true}` or
`{"failed": why}`. The first line of all is `{"ready": true}` or `{"missing": why}`.
"""

from __future__ import annotations

import json
import os
import sys
from typing import TextIO

import pyttsx3  # type: ignore[import-untyped]
from pyttsx3.drivers import _espeak  # type: ignore[import-untyped]
from pyttsx3.drivers.espeak import EspeakDriver  # type: ignore[import-untyped]

DRIVER = "espeak"


def main() -> None:
    """Answer requests until standard input ends."""
    # pyttsx3 prints to standard output, which belongs to the answers.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    try:
        engine = pyttsx3.init(DRIVER)
        for voice in sys.argv[1:]:
            _set("voice", voice)
    except (ImportError, OSError, RuntimeError, ValueError) as error:
        _answer(answers, {"missing": f"{type(error).__name__}: {error}"})
        return
    _answer(answers, {"ready": True})
    for line in sys.stdin:
        try:
            for voice, words_per_minute, text, file in json.loads(line)["stretches"]:
                _set("voice", voice)
                _set("rate", words_per_minute)
                engine.save_to_file(text, file)
                engine.runAndWait()
                # Else the end of this sentence may come in the next, which is then empty or hangs.
                _espeak.Synchronize()
        except (OSError, RuntimeError, ValueError) as error:
            _answer(answers, {"failed": f"{type(error).__name__}: {error}"})
        else:
            _answer(answers, {"done": True})


def _set(name: str, value: str | int) -> None:
    """Set a property at the driver: the engine would queue it, swallow errors, and now and then lose it."""
    EspeakDriver.setProperty(name, value)
    _espeak.Synchronize()  # espeak-ng queues it, too
    if EspeakDriver.getProperty(name) != value:
        raise ValueError(f"{name} {value!r} is not taken")


def _answer(answers: TextIO, message: dict[str, object]) -> None:
    answers.write(json.dumps(message) + "\n")
    answers.flush()


if __name__ == "__main__":
    main()
