"""What is read from indexes, metrics and histories before anything is judged: pure parts."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_tencent.devops.diagnosis.evidence import SampleLine
from mcp_tencent.devops.diagnosis.log_reading import history_of, scope_of
from mcp_tencent.devops.diagnosis.log_signs import LogSign, called_by, sign_of
from mcp_tencent.devops.diagnosis.revisions import last_good, version_of
from mcp_tencent.devops.diagnosis.usage_reading import bytes_of, compared, memory_limit, trend_of, windows
from mcp_tencent.models.logs import FieldType, Histogram, HistogramBucket, IndexField, TopicIndex
from mcp_tencent.models.metrics import UsagePoint
from mcp_tencent.models.workloads import ContainerImage, Revision, WorkloadKind, WorkloadRef

NOW = datetime(2026, 11, 20, 21, 0, tzinfo=UTC)
REF = WorkloadRef(namespace="shop", kind=WorkloadKind.DEPLOYMENT, name="order-service")


def index(*names: str) -> TopicIndex:
    return TopicIndex(
        topic_id="t-1",
        enabled=True,
        full_text=True,
        full_text_tokenizer="",
        case_sensitive=False,
        fields=tuple(
            IndexField(name=name, type=FieldType.TEXT, tokenizer="", analysable=True, chinese=False)
            for name in names
        ),
    )


def test_a_topic_with_workload_and_level_is_asked_by_them() -> None:
    scope = scope_of(index("workload", "namespace", "level"), REF)

    assert scope is not None
    assert scope.own == 'workload:"order-service" AND namespace:"shop"'
    assert scope.errors == '(level:"ERROR" OR level:"FATAL" OR level:"CRITICAL")'


def test_a_topic_that_knows_containers_by_tags_only_is_asked_by_tags_and_words() -> None:
    scope = scope_of(index("__TAG__.container_name", "__TAG__.namespace"), REF)

    assert scope is not None
    assert scope.own == '__TAG__.container_name:"order-service" AND __TAG__.namespace:"shop"'
    assert "Exception" in scope.errors


def test_a_topic_that_cannot_tell_workloads_apart_is_left_out() -> None:
    assert scope_of(index("level", "status"), REF) is None


def test_histograms_are_laid_over_each_other_and_gaps_are_zero() -> None:
    width = timedelta(minutes=2)
    begin = NOW - 3 * width

    def counted(*counts: tuple[int, int]) -> Histogram:
        buckets = tuple(HistogramBucket(start=begin + i * width, count=n) for i, n in counts)
        return Histogram(interval=width, total=sum(n for _, n in counts), buckets=buckets)

    history = history_of(begin, NOW, width, counted((0, 10), (2, 12)), counted((2, 4)), counted())

    assert [(b.lines, b.errors, b.warnings) for b in history.buckets] == [(10, 0, 0), (0, 0, 0), (12, 4, 0)]


@pytest.mark.parametrize(
    ("text", "sign"),
    [
        ("java.net.ConnectException: Connection refused: pay-gateway", LogSign.DEPENDENCY),
        ("upstream connect error or disconnect/reset before headers", LogSign.DEPENDENCY),
        ("调用支付渠道失败", LogSign.DEPENDENCY),
        ("429 Too Many Requests", LogSign.OVERLOAD),
        ("请求被限流", LogSign.OVERLOAD),
        ("Found one Java-level deadlock", LogSign.STUCK),
        ("java.lang.OutOfMemoryError: Java heap space", LogSign.MEMORY),
        ("write /data: no space left on device", LogSign.STORAGE),
        ("Could not resolve placeholder 'db.url'", LogSign.CONFIGURATION),
        ("Traceback (most recent call last)", LogSign.CODE),
        ("CPU throttled for 3s", LogSign.CPU_STARVED),
        ("cache miss storm", LogSign.COLD_CACHE),
        ("Readiness probe failed", LogSign.PROBE),
        ("order confirmed", None),
        ("创建订单成功", None),
    ],
)
def test_lines_are_told_by_common_words(text: str, sign: LogSign | None) -> None:
    assert sign_of(text) is sign


@pytest.mark.parametrize(
    ("text", "dependency", "called"),
    [
        ("call failed", "pay-gateway", "pay-gateway"),
        ("java.net.ConnectException: Connection refused: order-db", "", "order-db"),
        ("dependency coupon-center unavailable, circuit breaker open", "", "coupon-center"),
        ("connect timed out: unionpay-gateway:443", "", "unionpay-gateway"),
        ("dependency-injection works", "", ""),
        ("Connection refused", "", ""),
    ],
)
def test_a_line_of_a_failed_call_says_what_was_called(text: str, dependency: str, called: str) -> None:
    assert called_by(SampleLine(at=NOW, text=text, pod="", dependency=dependency)) == called


@pytest.mark.parametrize(
    ("quantity", "size"),
    [
        ("512Mi", 512 * 2**20),
        ("1.5Gi", 1.5 * 2**30),
        ("1G", 1e9),
        ("64Ki", 65536),
        ("1e3", 1000),
        ("128", 128),
    ],
)
def test_quantities_are_read_as_kubernetes_writes_them(quantity: str, size: float) -> None:
    assert bytes_of(quantity) == size


def points(values: list[float]) -> list[UsagePoint]:
    return [UsagePoint(at=NOW + timedelta(minutes=5 * i), value=value) for i, value in enumerate(values)]


def test_a_steady_rise_is_a_trend_and_noise_is_none() -> None:
    rising = trend_of("p", points([100.0 + 10 * i for i in range(13)]))
    flat = trend_of("p", points([100.0] * 13))

    assert rising is not None
    assert rising.bytes_per_hour == pytest.approx(120)
    assert rising.fit == pytest.approx(1)
    assert flat is not None
    assert flat.fit == 0
    assert trend_of("p", points([1.0, 2.0])) is None


@given(st.integers(0, 60 * 24 * 4))
def test_what_is_compared_lies_before_the_trouble_and_within_what_is_kept(minutes: int) -> None:
    onset = NOW - timedelta(minutes=minutes)

    spans = windows(NOW, onset)

    assert spans.before[0] < spans.before[1] <= onset
    assert onset <= spans.after[0] <= spans.after[1] == NOW


def test_without_points_nothing_is_compared() -> None:
    assert compared([], windows(NOW, None)) is None


def revision(
    number: int, tag: str, hours_ago: float, *, current: bool = False, restarted: str = ""
) -> Revision:
    image = f"registry.example/shop/order:{tag}"
    annotations = {"kubectl.kubernetes.io/restartedAt": restarted} if restarted else {}
    limits = {"resources": {"limits": {"memory": "1Gi"}}}
    template = {
        "metadata": {"annotations": annotations},
        "spec": {"containers": [{"image": image, **limits}]},
    }
    return Revision(
        number=number,
        created_at=NOW - timedelta(hours=hours_ago),
        change_cause="",
        images=(ContainerImage(container="app", image=image),),
        replicas=0,
        current=current,
        template_json=json.dumps(template),
    )


def test_the_last_good_revision_is_the_latest_older_one() -> None:
    history = [revision(3, "v3", 1, current=True), revision(2, "v2", 40), revision(1, "v1", 72)]

    good = last_good(history)

    assert good is not None
    assert version_of(good) == "v2"


def test_a_restart_of_the_bad_release_is_not_returned_to() -> None:
    history = [
        revision(3, "v2", 0.5, current=True, restarted="2026-11-20T20:30:00+00:00"),
        revision(2, "v2", 3),
        revision(1, "v1", 40),
    ]

    good = last_good(history)

    assert good is not None
    assert version_of(good) == "v1"


def test_what_was_rolled_back_from_is_not_returned_to() -> None:
    # The old ReplicaSet got the next number; the bad one in between keeps its own.
    history = [revision(3, "v1", 40, current=True), revision(2, "v2", 3)]

    assert last_good(history) is None


def test_the_memory_limit_of_a_pod_is_that_of_its_present_revision() -> None:
    assert memory_limit([revision(2, "v2", 3, current=True)]) == 2**30
    assert memory_limit([]) is None
