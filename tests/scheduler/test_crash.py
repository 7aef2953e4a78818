"""Nights killed with SIGKILL at every step boundary and inside every call to the cloud, and begun again.

Each test is one night that dies some fifty times, each time somewhere else; see `crash_rig`.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.proof

POLICY = "guards:\n  percent_of_cluster: 100\n"
"""The ladder of a noisy neighbour ends at a second workload of a small cluster."""
HOURS = 30
NEVER = 10_000


class Rig:
    """Runs nights in processes of their own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._undisturbed: dict[str, dict[str, Any]] = {}

    def night(
        self, scenario: str, *, first: int = NEVER, last: int = NEVER, outage_s: int = 0
    ) -> dict[str, Any]:
        """Run a night that is killed at every moment of the steps `first` to `last`, and tell its end."""
        order = {"scenario": scenario, "policy": POLICY, "hours": HOURS}
        order |= {"first": first, "last": last, "outage_s": outage_s}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        assert answer["status"] == 0, "the last night did not come to its end"
        return answer

    def undisturbed(self, scenario: str) -> dict[str, Any]:
        if scenario not in self._undisturbed:
            self._undisturbed[scenario] = self.night(scenario)
        return self._undisturbed[scenario]


@contextmanager
def running_rig(folder: Path) -> Iterator[Rig]:
    command = [sys.executable, "-m", "tests.scheduler.crash_rig", str(folder)]
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root
    ) as process:
        yield Rig(process)
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(30) == 0


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with running_rig(tmp_path_factory.mktemp("rig")) as running:
        yield running


def outcome(answer: dict[str, Any]) -> dict[str, Any]:
    """What must not depend on whether anybody was killed; times may, and shares measured by them."""
    names = (
        "outcome",
        "detail",
        "endings",
        "attempts",
        "timeline",
        "digest",
        "budget",
        "runs",
        "faults",
        "effects",
        "standing",
        "steps",
    )
    told = {name: answer[name] for name in names}
    # An act that is done again says that it had been done.
    told["timeline"] = [[kind, "" if kind == "action" else text] for kind, text in answer["timeline"]]
    text = json.dumps(told, ensure_ascii=False)
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d[\d:.]*(Z|[+-]\d\d:\d\d)?", "TIME", text)
    # How much of the log was errors before the act depends on when one looked.
    masked: dict[str, Any] = json.loads(re.sub(r"\d\d\.\d%", "SHARE", text))
    return masked


def acts(answer: dict[str, Any], *outcomes: tuple[str, str]) -> Counter[str]:
    """The writes that the audit tells of, by tool, with these outcomes and origins."""
    return Counter(
        tool for tool, risk, ended, origin in answer["audit"] if risk != "R" and (ended, origin) in outcomes
    )


def assert_same_night(killed: dict[str, Any], undisturbed: dict[str, Any]) -> None:
    assert outcome(killed) == outcome(undisturbed)
    assert killed["faults"] == []
    wanted = acts(undisturbed, ("done", "fresh"))
    assert acts(killed, ("started", "")) >= acts(undisturbed, ("started", ""))
    assert acts(killed, ("done", "fresh")) <= wanted
    assert acts(killed, ("done", "fresh"), ("done", "recorded")) >= wanted


def test_the_ladder_that_is_killed_has_two_rungs_and_a_restore(rig: Rig) -> None:
    night = rig.undisturbed("noisy-neighbour")
    assert [(rung, ended) for _, rung, _, ended, *_ in night["attempts"]] == [
        ("SCALE", "not_better_restored"),
        ("ISOLATE", "healed"),
    ]
    assert night["effects"] == [
        "MODIFIED Deployment item-service: spec.replicas",
        "MODIFIED Deployment item-service: spec.replicas",
        "ADDED NetworkPolicy xiaozhi-isolate-deployment-report-job",
    ]
    assert night["steps"] == 27


@pytest.mark.parametrize(
    ("first", "last", "kills"),
    [
        pytest.param(0, 8, 30, id="collecting and diagnosing"),
        pytest.param(9, 13, 30, id="the first rung and its restore"),
        pytest.param(14, 26, 40, id="the second rung and the digest"),
    ],
)
def test_a_night_killed_at_every_moment_ends_as_if_nothing_had_been(
    rig: Rig, first: int, last: int, kills: int
) -> None:
    night = rig.night("noisy-neighbour", first=first, last=last)
    assert night["kills"] >= kills
    assert_same_night(night, rig.undisturbed("noisy-neighbour"))


@pytest.mark.parametrize(
    ("scenario", "effect"),
    [
        ("stale-config", "MODIFIED Deployment order-service: spec.template"),
        ("bad-revision", "MODIFIED Deployment order-service: spec.template"),
    ],
)
def test_restarting_and_rolling_back_happen_once_however_often_one_is_killed_at_it(
    rig: Rig, scenario: str, effect: str
) -> None:
    undisturbed = rig.undisturbed(scenario)
    assert undisturbed["effects"] == [effect]
    night = rig.night(scenario, first=9, last=10, outage_s=1)
    assert night["kills"] >= 10
    assert_same_night(night, undisturbed)
