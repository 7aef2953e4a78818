"""How well it hears: wake phrase, ordinary speech, questions, latency and cost, each with its aim.

    python benchmarks/hearing.py [--only wake,chatter,questions,cost,stop,speakers] [--hours 5] [--scale 1.0]

Voices, rooms and noise are those that training never met (voice/training/heldout_speech.py); everything goes
through the ear as `xiaozhi run` composes it. Speech is made in processes of their own, because libespeak-ng
does not live for hours. It is not called voice.py: a script's folder comes first when Python looks for the
package of that name.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
import psutil
from rapidfuzz.distance import Levenshtein

from assistant.conversation.whole_commands import WholeCommands
from assistant.live_names import spoken_names
from assistant.planner.evaluate import read_cases, written
from assistant.planner.inventory import Inventory, read_inventory
from assistant.planner.planner import Planner
from assistant.speech import model_folder, open_ear
from hardware.audio import RATE_HZ, AudioChunk, Samples
from voice.heard import Wake
from voice.listening import Ear, EarEvent, StopHeard, Understood
from voice.model_catalogue import ModelFormat, ModelUse
from voice.models import ChosenModel, choose_models, look_at_models
from voice.pinyin import find
from voice.training.heldout_speech import CONDITIONS, HeldOutSpeaker, HeldOutUtterance
from voice.training.lexicon import build_lexicon, text_lines
from voice.training.sentences import SentenceWriter
from voice.training.synthetic_speech import WAKE_PHRASE
from voice.vosk_model import VoskModel
from voice.wake import STOP_WORDS

EVALUATION = Path(__file__).parents[1] / "tests" / "evaluation"
SEED = 90_210
HOMOPHONES = ("你好小志", "你好小治", "你好小质", "你好晓智", "你好小至")
"""Nobody hears these apart from the phrase; by sound they are it."""
_TAIL_S = 0.9
_CHUNK = 512
_A_TASK = 400
"""Utterances that one process makes: espeak stays alive, and the start costs little."""
_DIGEST = (
    "早上好，昨晚一共处理了三个问题，两个已经修复",
    "订单服务凌晨两点一刻内存不足，重启了四次，已经把内存上限调高",
    "支付网关的错误率在三点到三点半之间超过百分之五，原因是数据库连接数用完",
    "搜索服务的镜像拉取失败，已经回滚到上一个版本，需要您确认",
    "其余二十六个工作负载一切正常，没有别的告警",
    "您可以说下一条，或者说展开第二条",
)
T = TypeVar("T")


@dataclass(slots=True)
class Count:
    """How many of how many."""

    right: int = 0
    of: int = 0

    def add(self, *, right: bool) -> None:
        """Count one."""
        self.right += right
        self.of += 1

    @property
    def share(self) -> float:
        """How many of all, 0 to 1."""
        return self.right / self.of if self.of else float("nan")

    def __str__(self) -> str:
        return f"{self.right}/{self.of} ({self.share:.1%})"


@dataclass(slots=True)
class Woken:
    """What a set of utterances did to the ear."""

    by_condition: dict[str, Count] = field(default_factory=dict)
    by_voice: dict[str, Count] = field(default_factory=dict)
    waited_s: list[float] = field(default_factory=list)
    """From the end of the words to the fact that it was called."""
    phrases: Counter[str] = field(default_factory=Counter)
    """What woke it."""
    heard_s: float = 0.0

    def merge(self, other: Woken) -> None:
        """Add what another process counted."""
        for mine, others in ((self.by_condition, other.by_condition), (self.by_voice, other.by_voice)):
            for key, count in others.items():
                known = mine.setdefault(key, Count())
                known.right += count.right
                known.of += count.of
        self.waited_s += other.waited_s
        self.phrases += other.phrases
        self.heard_s += other.heard_s

    def rate(self, *conditions: str) -> Count:
        """Return how many woke it under these conditions, or under all."""
        counts = [count for name, count in self.by_condition.items() if not conditions or name in conditions]
        return Count(sum(one.right for one in counts), sum(one.of for one in counts))


@dataclass(slots=True)
class Answers:
    """What became of spoken questions, by condition."""

    exact: dict[str, Count] = field(default_factory=dict)
    planned: dict[str, Count] = field(default_factory=dict)
    """Same plan as for the typed sentence; only sentences that make a plan count."""
    edits: int = 0
    characters: int = 0
    waited_s: list[float] = field(default_factory=list)
    """From the end of the words to the text."""
    waited_for_plan_s: list[float] = field(default_factory=list)
    """The same for commands that were understood: the common case, in which a short pause is enough."""
    misses: list[str] = field(default_factory=list)


def models() -> tuple[ChosenModel, ...]:
    """Return the embedded models."""
    here = look_at_models(Path("/nonexistent"))
    return choose_models(here, formats={ModelFormat.VOSK, ModelFormat.ONNX_ENCODER}, wanted=set())


def told(ear: Ear, samples: Samples, from_s: float) -> Iterator[tuple[EarEvent, float]]:
    """Play sound to the ear; yield what it tells with the position in the sound, computing time included."""
    for start in range(0, len(samples), _CHUNK):
        piece = samples[start : start + _CHUNK]
        began = time.perf_counter()
        events = ear.hear(AudioChunk(samples=piece, captured_at_s=from_s + start / RATE_HZ))
        took_s = time.perf_counter() - began
        for event in events:
            yield event, (start + len(piece)) / RATE_HZ + took_s


def waking(kind: str, seed: int, count: int) -> Woken:
    """Play utterances of a kind to a waiting ear and count what wakes it."""
    speaker = HeldOutSpeaker(seed)
    ear = open_ear(models(), WAKE_PHRASE)
    found = Woken()
    for said in _utterances(kind, speaker, seed, count):
        samples = np.append(_pcm(said), np.zeros(RATE_HZ, np.int16))
        wakes = [at_s for event, at_s in told(ear, samples, from_s=found.heard_s) if isinstance(event, Wake)]
        ear.stop_waiting()
        found.heard_s += len(samples) / RATE_HZ
        for counts, key in ((found.by_condition, said.condition), (found.by_voice, said.voice)):
            counts.setdefault(key, Count()).add(right=bool(wakes))
        if wakes:
            found.waited_s.append(wakes[0] - (len(said.samples) / RATE_HZ - _TAIL_S))
            found.phrases[said.text] += 1
    return found


def _utterances(kind: str, speaker: HeldOutSpeaker, seed: int, count: int) -> Iterable[HeldOutUtterance]:
    if kind == "wake":
        return speaker.wake(count)
    if kind == "near miss":
        return speaker.near_misses(count)
    if kind == "homophone":
        return speaker.utterances([HOMOPHONES[at % len(HOMOPHONES)] for at in range(count)], kind)
    return speaker.utterances(_ordinary(seed, count), kind)


def _ordinary(seed: int, count: int) -> list[str]:
    """Return what people say to each other and to the appliance, and its own digest; never the phrase."""
    chance = random.Random(seed)
    writer = SentenceWriter(build_lexicon(), chance)
    written_apart = text_lines("out_of_template.txt")
    texts: list[str] = []
    while len(texts) < count:
        source = chance.random()
        text = writer.sentence() if source < 0.85 else chance.choice([*_DIGEST, *written_apart])
        text = re.sub(r"[a-z ]+", "", text)
        if text and find(WAKE_PHRASE, text).likeness < 0.85:
            texts.append(text)
    return texts


@dataclass(frozen=True, slots=True)
class _ClockAt:
    """A clock that stands still."""

    time: datetime

    def now(self) -> datetime:
        return self.time


def asking(texts: Sequence[str], inventory_file: Path, seed: int) -> Answers:
    """Ask questions aloud and compare text and plan with the typed ones."""
    known = read_inventory(inventory_file)
    inventory, now = known.inventory(), datetime.fromisoformat(known.now)
    speaker, planner = HeldOutSpeaker(seed), Planner()
    whole = WholeCommands(_ClockAt(now))
    whole.expect(inventory)
    ear = open_ear(models(), WAKE_PHRASE, whole_command=whole)
    ear.expect(spoken_names(inventory))
    found, clock_s = Answers(), 0.0
    for said in speaker.utterances(texts, "question"):
        samples = np.append(_pcm(said), np.zeros(RATE_HZ, np.int16))
        ear.follow_up()
        heard = [
            (event.hearing.text, at_s)
            for event, at_s in told(ear, samples, from_s=clock_s)
            if isinstance(event, Understood)
        ]
        ear.stop_waiting()
        clock_s += len(samples) / RATE_HZ
        _judge(said, heard, planner, inventory, now, found)
    return found


def _judge(
    said: HeldOutUtterance,
    heard: Sequence[tuple[str, float]],
    planner: Planner,
    inventory: Inventory,
    now: datetime,
    found: Answers,
) -> None:
    text = heard[0][0] if heard else ""
    plain = re.sub(r"[^\w]", "", said.text)
    found.exact.setdefault(said.condition, Count()).add(right=text == plain)
    found.edits += Levenshtein.distance(plain, text)
    found.characters += len(plain)
    if heard:
        found.waited_s.append(heard[0][1] - (len(said.samples) / RATE_HZ - _TAIL_S))
    meant = written(planner.plan(plain, inventory=inventory, now=now))
    if not meant:
        return
    same = meant == written(planner.plan(text, inventory=inventory, now=now))
    found.planned.setdefault(said.condition, Count()).add(right=same)
    if same:
        found.waited_for_plan_s.append(found.waited_s[-1])
    else:
        found.misses.append(f"{said.condition} {said.voice}: {plain} -> {text}")


def _pcm(said: HeldOutUtterance) -> Samples:
    return np.clip(said.samples, -32_768, 32_767).astype(np.int16)


def in_tasks(act: Callable[[int, int], T], count: int, seed: int = SEED) -> Iterator[T]:
    """Do something to `count` utterances, each task in a process of its own."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context, max_tasks_per_child=1) as pool:
        for task, start in enumerate(range(0, count, _A_TASK)):
            yield pool.submit(act, seed + task, min(_A_TASK, count - start)).result()


def show(name: str, value: str, aim: str = "", *, passed: bool | None = None) -> None:
    """Print a figure and whether it is as wanted."""
    verdict = "" if passed is None else f"  [{'pass' if passed else 'FAIL'}: aim {aim}]"
    print(f"{name:44} {value}{verdict}", flush=True)


def measure_wake(scale: float, _hours: float) -> None:
    """False rejects, near-misses and homophones."""
    called = _all_of("wake", 312, scale)
    aims = {"clean": 0.01, "10 dB": 0.03}
    for condition in [one.name for one in CONDITIONS]:
        _show_missed(condition, called.rate(condition), aims.get(condition))
    show("wake phrase missed, by voice", _by_voice(called))
    show("wake phrase → woken, median / 95 %", _times(called.waited_s))
    near = _all_of("near miss", 312, scale)
    show("woken by near-misses", str(near.rate()), "≤ 5 %", passed=near.rate().share <= 0.05)
    for condition in [one.name for one in CONDITIONS]:
        show(f"  {condition}", str(near.rate(condition)))
    show("  by what", "，".join(f"{text}×{n}" for text, n in near.phrases.most_common(8)))
    show("woken by homophones (by design)", str(_all_of("homophone", 60, scale).rate()))


def _all_of(kind: str, count: int, scale: float) -> Woken:
    found = Woken()
    for part in in_tasks(partial(waking, kind), max(12, round(count * scale))):
        found.merge(part)
    return found


def _show_missed(condition: str, woken: Count, most: float | None) -> None:
    missed = Count(woken.of - woken.right, woken.of)
    aim = "" if most is None else f"≤ {most:.0%}"
    show(
        f"wake phrase missed, {condition}",
        str(missed),
        aim,
        passed=None if most is None else missed.share <= most,
    )


def _by_voice(woken: Woken) -> str:
    missed = {voice: one.of - one.right for voice, one in woken.by_voice.items() if one.right < one.of}
    return f"{len(woken.by_voice)} voices; " + (", ".join(f"{v} {n}" for v, n in missed.items()) or "none")


def _times(seconds: Sequence[float]) -> str:
    if not seconds:
        return "-"
    return f"{np.median(seconds) * 1000:.0f} / {np.quantile(seconds, 0.95) * 1000:.0f} ms"


def measure_chatter(_scale: float, hours: float) -> None:
    """False accepts in ordinary speech, digest and noise; stops when the hours are heard."""
    found, seed = Woken(), SEED + 1_000
    while found.heard_s < hours * 3600:
        for part in in_tasks(partial(waking, "ordinary"), _A_TASK, seed):
            found.merge(part)
        seed += 1
        show("  so far", f"{found.heard_s / 3600:.2f} h, woken {found.rate().right} times")
    show(
        f"woken by {found.heard_s / 3600:.2f} h of ordinary speech",
        f"{found.rate()} {dict(found.phrases)}",
        "none in 5 h",
        passed=None if found.heard_s < 5 * 3600 and not found.rate().right else found.rate().right == 0,
    )


def measure_questions(scale: float, _hours: float) -> None:
    """Text, plan and waiting time of spoken questions."""
    for name, texts, inventory in _question_sets(scale):
        found = Answers()
        for start in range(0, len(texts), _A_TASK):
            act = partial(_asking_part, texts[start : start + _A_TASK], inventory)
            for part in in_tasks(act, 1, SEED + 2_000 + start):
                _merge_answers(found, part)
        _show_answers(name, found)


def _asking_part(texts: Sequence[str], inventory: Path, seed: int, _count: int) -> Answers:
    return asking(texts, inventory, seed)


def _merge_answers(into: Answers, part: Answers) -> None:
    for mine, others in ((into.exact, part.exact), (into.planned, part.planned)):
        for key, count in others.items():
            known = mine.setdefault(key, Count())
            known.right += count.right
            known.of += count.of
    into.edits += part.edits
    into.characters += part.characters
    into.waited_s += part.waited_s
    into.waited_for_plan_s += part.waited_for_plan_s
    into.misses += part.misses


def _question_sets(scale: float) -> Iterator[tuple[str, list[str], Path]]:
    """Yield the planner's own questions by inventory, then sentences written apart from all patterns."""
    for inventory in sorted((EVALUATION / "inventories").glob("*.json")):
        says = [
            case.say
            for file in sorted(EVALUATION.glob(f"{inventory.stem}_*.jsonl"))
            for case in read_cases(file)
            if case.context is None and case.expect and not re.search(r"[A-Za-z0-9]", case.say)
        ]
        random.Random(3).shuffle(says)
        yield f"questions of {inventory.stem}", says[: max(12, round(200 * scale))], inventory
    apart = [text for text in text_lines("out_of_template.txt") for _ in range(3)]
    yield "out of template", apart[: max(12, round(300 * scale))], inventory


def _show_answers(name: str, found: Answers) -> None:
    aims = {"clean": 0.97, "10 dB": 0.90}
    print(f"{name}: {sum(one.of for one in found.exact.values())} spoken", flush=True)
    show("  characters wrong (CER)", f"{found.edits / max(1, found.characters):.2%}")
    all_exact = Count(sum(o.right for o in found.exact.values()), sum(o.of for o in found.exact.values()))
    apart = name == "out of template"
    show("  exact text", str(all_exact), "≥ 70 %", passed=all_exact.share >= 0.7 if apart else None)
    for condition in [one.name for one in CONDITIONS]:
        plans, exact = found.planned.get(condition, Count()), found.exact.get(condition, Count())
        aim = None if apart else aims.get(condition)
        show(
            f"  {condition}: same plan / exact text",
            f"{plans} / {exact}",
            "" if aim is None else f"≥ {aim:.0%}",
            passed=None if aim is None else plans.share >= aim,
        )
    show("  last word → text, median / 95 %", _times(found.waited_s))
    if found.waited_for_plan_s:
        waited_s = found.waited_for_plan_s
        soon = float(np.median(waited_s)) <= 0.5
        show("  … of commands that were understood", _times(waited_s), "≤ 500 ms (median)", passed=soon)
    for miss in found.misses[:12]:
        print(f"    {miss}", flush=True)


def measure_cost(scale: float, _hours: float) -> None:
    """Processor time against bare Vosk on the same sound, in silence, memory and start."""
    for name, value, aim, passed in next(iter(in_tasks(partial(_cost, scale), 1))):
        show(name, value, aim, passed=passed)


def _cost(scale: float, seed: int, _count: int) -> list[tuple[str, str, str, bool | None]]:
    resident = psutil.Process().memory_info().rss
    began = time.perf_counter()
    ear = open_ear(models(), WAKE_PHRASE)
    start_s = time.perf_counter() - began
    grown = psutil.Process().memory_info().rss - resident
    speech = _talk(HeldOutSpeaker(seed), seed, seconds=max(30, 180 * scale))
    seconds = len(speech) / RATE_HZ
    hiss = np.random.default_rng(seed).normal(scale=20, size=len(speech)).astype(np.int16)
    bare = VoskModel(model_folder(models(), ModelUse.RECOGNIZER)).recognizer()
    plain, listening, silent = [], [], []
    for _ in range(3):
        plain.append(_cpu(lambda: _bare(bare, speech)))
        listening.append(_cpu(lambda: list(told(ear, speech, 0.0))))
        silent.append(_cpu(lambda: list(told(ear, hiss, 0.0))))
    ratio, idle = min(listening) / min(plain), min(silent) / seconds
    return [
        ("bare Vosk, of the sound's length", f"{min(plain) / seconds:.2%}", "", None),
        ("listening while people talk", f"{min(listening) / seconds:.2%}", "", None),
        ("  against bare Vosk", f"{ratio:.2f}", "≤ 1.2", ratio <= 1.2),
        ("in a quiet room", f"{idle:.2%}", "≤ 2 %", idle <= 0.02),
        ("start", f"{start_s * 1000:.0f} ms", "", None),
        ("memory that the ear adds", f"{grown / 2**20:.0f} MB", "", None),
    ]


def _talk(speaker: HeldOutSpeaker, seed: int, *, seconds: float) -> Samples:
    """Return people talking without long pauses."""
    pieces: list[Samples] = []
    for said in speaker.utterances(_ordinary(seed, 300), "ordinary"):
        pieces.append(_pcm(said)[6_000:-12_000])
        if sum(len(one) for one in pieces) > seconds * RATE_HZ:
            break
    return np.concatenate(pieces)


def _bare(recognizer: object, speech: Samples) -> None:
    for start in range(0, len(speech), _CHUNK):
        recognizer.AcceptWaveform(speech[start : start + _CHUNK].tobytes())  # type: ignore[attr-defined]
    recognizer.FinalResult()  # type: ignore[attr-defined]


def _cpu(act: Callable[[], object]) -> float:
    began = time.process_time()
    act()
    return time.process_time() - began


def measure_stop(scale: float, _hours: float) -> None:
    """Stop words while it speaks: last word → noticed here, → silence by the sound card."""
    for part in in_tasks(_stopped, max(12, round(78 * scale))):
        noticed, waited_s, needless = part
        show("stop words noticed", str(noticed))
        within = bool(waited_s) and float(np.median(waited_s)) <= 0.15
        show("stop word → noticed, median / 95 %", _times(waited_s), "≤ 150 ms (median)", passed=within)
        show("stopped by other words", str(needless))
    print("    Then 50 ms pass to silence, and 50 to 80 before it is heard: what PulseAudio holds back")
    print("    (tests/hardware/test_sounddevice.py measures the first).")


def _stopped(seed: int, count: int) -> tuple[Count, list[float], Count]:
    speaker = HeldOutSpeaker(seed)
    ear = open_ear(models(), WAKE_PHRASE, being_said=lambda: _DIGEST[0])
    noticed, needless, waited_s, clock_s = Count(), Count(), [], 0.0
    words = [STOP_WORDS[at % len(STOP_WORDS)] for at in range(count)]
    for kind, texts in (("stop", words), ("ordinary", _ordinary(seed, count))):
        for said in speaker.utterances(texts, kind):
            samples = np.append(_pcm(said), np.zeros(RATE_HZ, np.int16))
            stops = [at_s for event, at_s in told(ear, samples, clock_s) if isinstance(event, StopHeard)]
            clock_s += len(samples) / RATE_HZ
            (noticed if kind == "stop" else needless).add(right=bool(stops))
            if stops and kind == "stop":
                waited_s.append(stops[0] - (len(said.samples) / RATE_HZ - _TAIL_S))
    return noticed, waited_s, needless


def measure_speakers(_scale: float, _hours: float) -> None:
    """EER and false accepts, by the benchmark of the voiceprint."""
    subprocess.run([sys.executable, str(Path(__file__).with_name("voiceprint.py"))], check=True)


PARTS: dict[str, Callable[[float, float], None]] = {
    "wake": measure_wake,
    "questions": measure_questions,
    "cost": measure_cost,
    "stop": measure_stop,
    "speakers": measure_speakers,
    "chatter": measure_chatter,
}


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description="How well it hears.")
    parser.add_argument("--only", default=",".join(PARTS), help="parts, by commas")
    parser.add_argument("--hours", type=float, default=5.0, help="of ordinary speech")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the other material")
    arguments = parser.parse_args()
    for name in arguments.only.split(","):
        print(f"== {name}", flush=True)
        PARTS[name](arguments.scale, arguments.hours)


if __name__ == "__main__":
    main()
