"""What a recognizer does to sentences: homophones and spaces. Acts never change their object by it."""

from collections import defaultdict
from datetime import datetime
from pathlib import Path
from random import Random

import pytest
from pypinyin import lazy_pinyin

from assistant.planner.evaluate import read_cases, written
from assistant.planner.inventory import read_inventory
from assistant.planner.lexicon import load_lexicon
from assistant.planner.planner import Planner

SETS = Path(__file__).parents[2] / "evaluation"
HOUSES = ("clinic", "game", "shop")
OBJECTS = {"workload", "pod", "node_pool", "alarm", "cluster", "namespace", "person", "checkpoint"}
SOUNDS: dict[str, list[str]] = defaultdict(list)
for code in range(0x4E00, 0x5E00):
    SOUNDS[lazy_pinyin(chr(code))[0]].append(chr(code))


def misheard(say, dice):
    """Replace one character by one of the same sound, and put spaces between some words."""
    places = [i for i, character in enumerate(say) if "\u4e00" <= character <= "\u9fff"]
    heard = list(say)
    if places:
        place = dice.choice(places)
        heard[place] = dice.choice(SOUNDS[lazy_pinyin(say[place])[0]] or [say[place]])
    return "".join(f"{one} " if "\u4e00" <= one <= "\u9fff" and dice.random() < 0.3 else one for one in heard)


@pytest.fixture(scope="module")
def heard_wrongly():
    dice, planner, found = Random(20261012), Planner(), []
    for house in HOUSES:
        known = read_inventory(SETS / "inventories" / f"{house}.json")
        inventory, now = known.inventory(), datetime.fromisoformat(known.now)
        for case in [one for kind in ("dev", "test") for one in read_cases(SETS / f"{house}_{kind}.jsonl")]:
            context = case.context.context() if case.context else None
            plans = [
                written(planner.plan(say, inventory=inventory, now=now, context=context))
                for say in (case.say, misheard(case.say, dice))
            ]
            found.append((case.say, *plans))
    return found


def test_nine_of_ten_plans_stay_the_same_or_become_a_question(heard_wrongly):
    changed = [(say, before, after) for say, before, after in heard_wrongly if after and after != before]
    assert len(changed) <= 0.1 * len(heard_wrongly), changed


def test_no_act_changes_its_object(heard_wrongly):
    tools = load_lexicon().tools
    wrong = [
        (say, before, after)
        for say, before, after in heard_wrongly
        for call in after
        if tools[call["tool"]].risk == "danger"
        and {name: value for name, value in call["arguments"].items() if name in OBJECTS}
        not in [{n: v for n, v in one["arguments"].items() if n in OBJECTS} for one in before]
    ]
    assert wrong == []
