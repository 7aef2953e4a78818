"""A digest tells what the night found out, worst first, and nothing else."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time
from html.parser import HTMLParser

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scheduler.digest import Digest, ItemKind, build_digest
from scheduler.digest_facts import (
    AlertFacts,
    AnomalyFacts,
    AttemptFacts,
    CapacityFacts,
    ClusterFacts,
    Gap,
    IncidentFacts,
    LogFacts,
    NightFacts,
    PatternFacts,
    ProposalFacts,
    Standing,
)
from scheduler.digest_html import digest_html
from scheduler.digest_json import digest_from_json, digest_to_json
from scheduler.digest_rendering import rendered
from scheduler.digest_spoken import MAX_SECONDS, MOST_IN_FULL, spoken_digest
from scheduler.digest_tally import change_in_words, figures_in, figures_of
from scheduler.errors import DigestUnreadable
from voice.synthesizer_pyttsx3 import Pyttsx3Synthesizer

TODAY = date(2026, 11, 20)


def attempt(number: int, rung: str, outcome: str, reason: str = "") -> AttemptFacts:
    words = {
        "restart": "重启订单服务",
        "scale": "把订单服务扩到4个副本",
        "roll_back": "把订单服务回滚到版本3",
    }
    return AttemptFacts(number=number, rung=rung, action=words[rung], outcome=outcome, reason=reason)


ORDERS = IncidentFacts(
    id="inc-orders",
    alert_id="alert-orders",
    title="订单服务错误率过高",
    name="订单服务",
    score=87.2,
    standing=Standing.HEALED,
    cluster_id="cls-1",
    namespace="shop",
    workload="orders",
    alerts=12,
    reasons=("级别为严重", "持续40分钟"),
    cause="新版本的配置缺少数据库地址",
    attempts=(attempt(1, "restart", "not_better_restored"), attempt(2, "roll_back", "healed")),
)
PAYMENT = replace(
    ORDERS,
    id="inc-payment",
    alert_id="alert-payment",
    title="支付服务超时",
    name="支付服务",
    score=93.4,
    standing=Standing.NEEDS_HUMAN,
    attempts=(attempt(1, "restart", "not_better_restored"), attempt(2, "scale", "worse_restored")),
    unsolved_because="次数用完",
)
DISK = AlertFacts(
    id="alert-disk",
    title="节点磁盘快满",
    name="节点一",
    score=35.0,
    priority="P2",
    standing=Standing.RECOVERED,
    cluster_id="cls-1",
    namespace="",
    workload="",
    alerts=3,
    because=("级别为警告",),
)
LOGS = LogFacts(
    lines=1_264_000,
    errors=8214,
    days_before=7,
    lines_usual=1_130_000.0,
    errors_usual=3570.0,
    patterns=(PatternFacts(template="connect to db <IP> timed out", count=4100, workload="orders"),),
    anomalies=(
        AnomalyFacts(
            workload="支付服务",
            level="ERROR",
            up=True,
            observed=820,
            expected=12.0,
            began_at="2026-11-19T14:00:00+08:00",
            new=True,
            patterns=("refused <script>alert(1)</script>",),
        ),
    ),
    anomalies_found=1,
    capacity=(CapacityFacts(target="生产集群", resource="内存", percent=91.0, days_left=6),),
)
FACTS = NightFacts(
    date=TODAY,
    clusters=(ClusterFacts(cluster_id="cls-1", name="生产集群"),),
    alert_records=46,
    alerts=(replace(DISK, id="alert-orders"), DISK),
    incidents=(ORDERS, PAYMENT),
    proposals=(ProposalFacts(id="p-1", incident_id="inc-payment", act="把支付服务回滚到版本7"),),
    logs=LOGS,
    unread=(Gap(what="测试集群", why="没有权限"),),
)


def test_a_quiet_day_is_one_short_sentence() -> None:
    calm = NightFacts(
        date=TODAY, logs=replace(LOGS, errors=3000, anomalies=(), anomalies_found=0, capacity=())
    )
    digest = build_digest(calm, opening="模型写的开场白。")
    assert digest.quiet
    assert spoken_digest(digest).text == "昨天一切正常，没有告警。"


def test_nothing_seen_is_not_called_calm_when_something_could_not_be_read() -> None:
    digest = build_digest(NightFacts(date=TODAY, unread=(Gap(what="生产集群", why="请求超时"),)))
    assert not digest.quiet
    assert "正常" not in spoken_digest(digest).text
    assert "生产集群读不到，请求超时" in spoken_digest(digest).text


def test_the_unsolved_comes_first_then_the_higher_score() -> None:
    digest = build_digest(FACTS)
    assert [one.title for one in digest.items[:3]] == ["支付服务超时", "订单服务错误率过高", "节点磁盘快满"]
    assert [one.number for one in digest.items] == list(range(1, len(digest.items) + 1))


def test_a_group_of_alerts_that_was_taken_up_is_told_once() -> None:
    assert [one.reference for one in build_digest(FACTS).items].count("alert-orders") == 0


def test_what_only_the_policy_forbade_says_so_once() -> None:
    observed = replace(PAYMENT, attempts=(), unsolved_because="shop设为只观察，不自动处理")
    told = spoken_digest(build_digest(replace(FACTS, incidents=(observed,)))).text
    assert "没有自动处理，因为shop设为只观察。" in told


def test_alerts_that_went_on_into_the_morning_are_not_called_yesterdays() -> None:
    began, last = datetime(2026, 11, 19, 2, tzinfo=UTC), datetime.combine(TODAY, time(1), UTC)
    facts = replace(FACTS, alerts=(replace(DISK, began_at=began, last_at=last),))
    assert spoken_digest(build_digest(facts)).text.startswith("昨天到今早46条告警")


def test_the_whole_digest_as_it_is_spoken() -> None:
    assert [part.text for part in spoken_digest(build_digest(FACTS)).parts] == [
        "昨天46条告警，合并成3个问题，修好了1个，自己恢复了1个，还有1个没有解决。",
        "第一条，支付服务超时，9.3分。可能是新版本的配置缺少数据库地址。试过重启和扩容，没有修好，改动已还原，次数用完。",
        "第二条，订单服务错误率过高，8.7分。回滚后已经恢复。",
        "第三条，节点磁盘快满，3.5分，已经自己恢复。级别为警告。",
        "日志126.4万条，比平时多百分之12。错误8214条，是平时的2.3倍。",
        "支付服务的错误日志多到820条，平时12条，内容以前没有出现过。",
        "生产集群的内存最高用到百分之91，照这样6天后会用满。",
        "测试集群读不到，没有权限。",
        "请您决定：要不要把支付服务回滚到版本7？",
    ]


def test_an_item_told_by_its_number_is_found_by_its_number() -> None:
    digest = build_digest(FACTS)
    second = next(one for one in digest.items if one.number == 2)
    assert second.detail == (
        "订单服务错误率过高，8.7分，已经修好。评分依据是级别为严重，持续40分钟。"
        "最可能的原因是新版本的配置缺少数据库地址。第1次，重启订单服务，没有好转，已还原。"
        "第2次，把订单服务回滚到版本3，修好了。"
    )


def test_what_needs_a_human_without_a_proposal_is_asked_too() -> None:
    digest = build_digest(replace(FACTS, proposals=()))
    assert spoken_digest(digest).parts[-1].text == "请您决定：支付服务超时，要怎么处理？"


def test_what_only_the_policy_kept_the_night_from_is_offered() -> None:
    observed = replace(PAYMENT, attempts=(attempt(1, "roll_back", "blocked_by_policy", "只观察"),))
    incidents = tuple(observed if one is PAYMENT else one for one in FACTS.incidents)
    digest = build_digest(replace(FACTS, incidents=incidents, proposals=()))
    assert digest.decisions[0].question == "支付服务超时，要不要把订单服务回滚到版本3？"


def test_a_failed_restore_is_said_as_such() -> None:
    broken = replace(PAYMENT, attempts=(attempt(1, "restart", "restore_failed"),))
    spoken = spoken_digest(build_digest(replace(FACTS, incidents=(broken,)))).text
    assert "还原也失败了" in spoken
    assert "改动已还原" not in spoken


@pytest.mark.parametrize(
    ("now", "usual", "words"),
    [
        (112, 100, "比平时多百分之12"),
        (50, 100, "比平时少百分之50"),
        (230, 100, "是平时的2.3倍"),
        (105, 100, "和平时差不多"),
        (5, 0, ""),
    ],
)
def test_a_day_is_compared_with_the_usual(now: float, usual: float, words: str) -> None:
    assert change_in_words(now, usual) == words


def test_json_keeps_everything() -> None:
    digest = build_digest(FACTS)
    assert digest_from_json(digest_to_json(digest)) == digest


@pytest.mark.parametrize(
    "text", ["", "{}", '{"schema_name": "xiaozhi.digest/2", "spoken": [], "digest": {}}']
)
def test_json_of_another_schema_is_refused(text: str) -> None:
    with pytest.raises(DigestUnreadable):
        digest_from_json(text)


def test_what_is_kept_has_all_three_renderings() -> None:
    kept = rendered(build_digest(FACTS), written_at=datetime(2026, 11, 19, 21, tzinfo=UTC))
    assert kept.date == TODAY
    assert kept.spoken.startswith("昨天46条告警")
    assert digest_from_json(kept.content_json).facts == FACTS
    assert "支付服务超时" in kept.html


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [tag, *(name for name, _ in attrs)]

    def handle_data(self, data: str) -> None:
        self.text += data


HOSTILE = '<script>alert("x")</script><img src=x onerror=y>\x1b[31m&amp;\'"'


def test_the_page_escapes_what_comes_from_outside() -> None:
    logs = replace(
        LOGS,
        patterns=(PatternFacts(template=HOSTILE, count=1, workload=HOSTILE),),
        anomalies=(replace(LOGS.anomalies[0], workload=HOSTILE, patterns=(HOSTILE,)),),
        capacity=(replace(LOGS.capacity[0], target=HOSTILE),),
        unread=(Gap(what=HOSTILE, why=HOSTILE),),
    )
    hostile = replace(PAYMENT, title=HOSTILE, reasons=(HOSTILE,), cause=HOSTILE, unsolved_because=HOSTILE)
    proposals = (ProposalFacts(id="p", incident_id="", act=HOSTILE),)
    facts = replace(FACTS, incidents=(hostile,), logs=logs, proposals=proposals, notices=(HOSTILE,))
    page = digest_html(build_digest(facts, opening=HOSTILE))
    tags = _Tags()
    tags.feed(page)
    assert not {"script", "img", "a", "link", "iframe", "onerror", "src", "href"} & set(tags.found)
    assert '<script>alert("x")</script>' in tags.text


# What may be in the facts of any night.

words = st.text(st.sampled_from("订单服务支付错误率过高Pod重启abc-9/<&\n，。"), min_size=1, max_size=60)
counts = st.integers(0, 3_000_000)
scores = st.floats(0, 100).map(lambda x: round(x, 1))
attempts = st.lists(
    st.builds(
        AttemptFacts,
        number=st.integers(1, 6),
        rung=st.sampled_from(["restart", "scale", "roll_back", "isolate", "restore", "hand_over"]),
        action=words,
        outcome=st.sampled_from(
            ["healed", "better_kept", "not_better_restored", "restore_failed", "blocked_by_policy", None]
        ),
        reason=words,
    ),
    max_size=6,
).map(tuple)
incidents = st.builds(
    IncidentFacts,
    id=st.uuids().map(str),
    alert_id=st.uuids().map(str),
    title=words,
    name=words,
    score=scores,
    standing=st.sampled_from(Standing),
    cluster_id=st.just("cls-1"),
    namespace=st.just("shop"),
    workload=st.just("orders"),
    alerts=counts,
    reasons=st.lists(words, max_size=4).map(tuple),
    cause=words,
    attempts=attempts,
    unsolved_because=words,
)
alerts = st.builds(
    AlertFacts,
    id=st.uuids().map(str),
    title=words,
    name=words,
    score=scores,
    priority=st.just("P1"),
    standing=st.sampled_from([Standing.OPEN, Standing.RECOVERED]),
    cluster_id=st.just("cls-1"),
    namespace=st.just(""),
    workload=st.just(""),
    alerts=counts,
    because=st.lists(words, max_size=4).map(tuple),
)
gaps = st.lists(st.builds(Gap, what=words, why=words), max_size=4).map(tuple)
logs = st.builds(
    LogFacts,
    lines=counts,
    errors=counts,
    days_before=st.integers(0, 14),
    lines_usual=st.floats(0, 2_000_000),
    errors_usual=st.floats(0, 20_000),
    patterns=st.lists(st.builds(PatternFacts, template=words, count=counts, workload=words), max_size=3).map(
        tuple
    ),
    anomalies=st.lists(
        st.builds(
            AnomalyFacts,
            workload=words,
            level=st.sampled_from(["ERROR", "WARN", "odd"]),
            up=st.booleans(),
            observed=counts,
            expected=st.floats(0, 100_000),
            began_at=st.just(""),
            new=st.booleans(),
            patterns=st.lists(words, max_size=2).map(tuple),
        ),
        max_size=3,
    ).map(tuple),
    capacity=st.lists(
        st.builds(
            CapacityFacts,
            target=words,
            resource=st.sampled_from(["CPU", "内存"]),
            percent=st.floats(80, 100),
            days_left=st.none() | st.integers(1, 30),
        ),
        max_size=3,
    ).map(tuple),
    unread=gaps,
)
nights = st.builds(
    NightFacts,
    date=st.just(TODAY),
    alert_records=counts,
    alerts=st.lists(alerts, max_size=8, unique_by=lambda x: x.id).map(tuple),
    incidents=st.lists(incidents, max_size=12, unique_by=lambda x: x.id).map(tuple),
    proposals=st.lists(
        st.builds(ProposalFacts, id=st.uuids().map(str), incident_id=st.just(""), act=words), max_size=5
    ).map(tuple),
    logs=st.none() | logs,
    notices=st.lists(words, max_size=3).map(tuple),
    unread=gaps,
)
examined = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@examined
@given(nights)
def test_any_digest_keeps_its_time_and_tells_five_troubles_at_most(facts: NightFacts) -> None:
    digest = build_digest(facts)
    spoken = spoken_digest(digest)
    assert spoken.seconds <= MAX_SECONDS
    kinds = {one.number: one.kind for one in digest.items}
    told = [kinds[part.number] for part in spoken.parts if part.number is not None]
    assert sum(kind in (ItemKind.INCIDENT, ItemKind.ALERT) for kind in told) <= MOST_IN_FULL


@examined
@given(nights)
def test_every_figure_spoken_stands_in_the_facts(facts: NightFacts) -> None:
    digest = build_digest(facts)
    # A cut through a run of digits makes another figure; such a text ends with an ellipsis.
    whole = [part.text for part in spoken_digest(digest).parts if "…" not in part.text]
    assert set(figures_in("\n".join(whole))) <= figures_of(facts)


@examined
@given(nights)
def test_json_keeps_any_digest(facts: NightFacts) -> None:
    digest = build_digest(facts)
    assert digest_from_json(digest_to_json(digest)) == digest


@examined
@given(nights)
def test_the_page_of_any_digest_is_whole(facts: NightFacts) -> None:
    page = digest_html(build_digest(facts))
    assert page.count("<article") == page.count("</article>")
    assert page.endswith("</html>\n")


def longest() -> Digest:
    """A digest with more than fits, in words of usual length."""
    many = tuple(
        replace(
            PAYMENT,
            id=f"inc-{n}",
            alert_id=f"alert-{n}",
            title=f"支付服务第{n}个实例错误率过高",
            score=90.0 - n,
        )
        for n in range(12)
    )
    return build_digest(replace(FACTS, incidents=many))


def test_what_does_not_fit_is_counted() -> None:
    texts = [part.text for part in spoken_digest(longest(), max_seconds=60).parts]
    assert any(text.startswith("其余") for text in texts)
    assert texts[-1].startswith("请您决定")


@pytest.fixture(scope="module")
def voice() -> Iterator[Pyttsx3Synthesizer]:
    with contextlib.closing(Pyttsx3Synthesizer()) as opened:
        yield opened


@pytest.mark.parametrize("digest", [build_digest(FACTS), longest()], ids=["usual", "longest"])
def test_the_real_voice_needs_no_longer_than_estimated(digest: Digest, voice: Pyttsx3Synthesizer) -> None:
    spoken = spoken_digest(digest)
    sentences = [each for each in re.split("(?<=[。？])", spoken.text) if each]
    seconds = sum(voice.synthesize(each).duration_s for each in sentences)
    assert 0.6 * spoken.seconds < seconds <= spoken.seconds <= MAX_SECONDS
