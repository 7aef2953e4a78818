"""Causes that come with a change: an image, a release, a configuration (pure)."""

from __future__ import annotations

from datetime import datetime, timedelta

from mcp_tencent.devops.diagnosis.causes import CauseKind, Suspicion
from mcp_tencent.devops.diagnosis.log_signs import LogSign
from mcp_tencent.devops.diagnosis.picture import (
    CONFIG_REASONS,
    NEARBY,
    ChangeKind,
    Picture,
    WorkloadChange,
    container_started_at,
    percent,
    spoken_length,
)

AFTER_CONFIG = timedelta(minutes=45)
"""Longer: pods read a configuration when they are restarted, which somebody does afterwards."""
LATELY = timedelta(hours=24)


def bad_image(picture: Picture) -> Suspicion:
    """Pods hang because their image cannot be pulled."""
    suspicion = Suspicion(CauseKind.BAD_IMAGE)
    if pods := picture.image_pods:
        # Without the registry, which nobody wants to hear.
        image = pods[0].images[0].image.rpartition("/")[2] if pods[0].images else ""
        suspicion.add(0.97, f"{len(pods)}个副本拉不下镜像 {image}".rstrip())
        release = _latest(picture, ChangeKind.RELEASE)
        if release is not None:
            suspicion.add(0.3, f"{picture.ago(release.at)}发布了{release.what}")
    return suspicion


def bad_release(picture: Picture) -> Suspicion:
    """A new version fails its requests, or crashes."""
    suspicion = Suspicion(CauseKind.BAD_RELEASE)
    release = _latest(picture, ChangeKind.RELEASE)
    if release is None:
        return suspicion
    onset = picture.onset
    matching = onset is not None and picture.change_before(ChangeKind.RELEASE, onset, within=NEARBY)
    if onset is not None and matching:
        delay = spoken_length(max(timedelta(0), onset - matching.at))
        share = f"，错误占日志的{percent(picture.error_share)}"
        suspicion.add(0.75, f"{picture.ago(matching.at)}发布了{matching.what}，{delay}后开始报错{share}")
    if _new_pods_crash(picture):
        suspicion.add(0.85, f"只有{release.what}的副本在反复崩溃，旧副本正常")
    elif picture.crashing and _began_after(picture, release):
        suspicion.add(0.6, f"{release.what}发布以后副本开始反复崩溃")
    if not suspicion.signs and not picture.seen and picture.evidence.at - release.at < LATELY:
        suspicion.add(0.45, f"读不到日志和指标；最近的改动是{picture.ago(release.at)}发布的{release.what}")
    if not suspicion.signs:
        return suspicion
    if picture.share(LogSign.CODE) > 0.05:
        suspicion.add(0.35, "日志里有新的程序异常堆栈")
    if picture.share(LogSign.CONFIGURATION) > 0.3:
        suspicion.doubt(0.2, "报错说的是配置")
    if picture.image_pods:
        suspicion.doubt(0.8, "新版本的镜像还没有拉下来，没有跑起来过")
    return suspicion


def bad_configuration(picture: Picture) -> Suspicion:
    """A configuration was changed, pods have read it, and it is wrong."""
    suspicion = Suspicion(CauseKind.BAD_CONFIGURATION)
    missing = [config.name for config in picture.evidence.configs if config.missing]
    broken = [pod for pod in picture.evidence.pods if pod.reason in CONFIG_REASONS]
    if broken:
        named = f"缺少配置 {missing[0]}" if missing else broken[0].message[:60] or "配置不可用"
        suspicion.add(0.95, f"{len(broken)}个副本因为{named}创建不了容器")
    onset = picture.onset
    if onset is not None:
        change = picture.change_before(ChangeKind.CONFIGURATION, onset, within=AFTER_CONFIG)
        if change is not None and not _older_pods(picture, change.at):
            delay = spoken_length(max(timedelta(0), onset - change.at))
            suspicion.add(0.8, f"{picture.ago(change.at)}改了{change.what}，{delay}后开始报错")
            if picture.change_before(ChangeKind.RESTART, onset, within=AFTER_CONFIG):
                suspicion.add(0.3, "改完配置后重启过，副本读到的是新的值")
            if picture.change_before(ChangeKind.RELEASE, onset, within=NEARBY):
                suspicion.doubt(0.4, "同一时间还有一次发布")
    elif (
        picture.crashing
        and (changed := _latest(picture, ChangeKind.CONFIGURATION)) is not None
        and picture.evidence.at - changed.at < LATELY
        and _began_after(picture, changed)
    ):
        suspicion.add(0.6, f"{picture.ago(changed.at)}改了{changed.what}，之后副本开始反复崩溃")
    if suspicion.signs and picture.share(LogSign.CONFIGURATION) > 0.1:
        suspicion.add(0.35, "报错里提到配置或者参数")
    return suspicion


def stale_configuration(picture: Picture) -> Suspicion:
    """A configuration was changed after the trouble began, but the pods still run with what they read."""
    suspicion = Suspicion(CauseKind.STALE_CONFIGURATION)
    onset = picture.onset
    if not picture.troubled or onset is None:
        return suspicion
    for change in picture.changes:
        older = _older_pods(picture, change.at)
        if change.kind is not ChangeKind.CONFIGURATION or change.at <= onset + picture.slack or not older:
            continue
        suspicion.add(
            0.55, f"{picture.ago(change.at)}改过{change.what}，但{older}个副本是更早启动的，还没有读到"
        )
        if picture.change_before(ChangeKind.RESTART, onset, within=NEARBY):
            suspicion.add(0.5, "报错从一次重启之后开始，副本那时读进了有问题的配置")
        elif picture.change_before(ChangeKind.RELEASE, onset, within=NEARBY):
            suspicion.doubt(0.4, "报错从一次发布之后开始")
        if picture.share(LogSign.CONFIGURATION) > 0.1:
            suspicion.add(0.45, "报错里提到配置或者参数")
        break
    return suspicion


def _latest(picture: Picture, kind: ChangeKind) -> WorkloadChange | None:
    return next((change for change in picture.changes if change.kind is kind), None)


def _older_pods(picture: Picture, changed_at: datetime) -> int:
    """Count running pods whose container started before a change."""
    starts = [container_started_at(pod) for pod in picture.evidence.pods if not pod.deleting]
    return sum(start is not None and start < changed_at for start in starts)


def _new_pods_crash(picture: Picture) -> bool:
    """Tell whether pods of the current revision crash while all of an older one run well."""
    old = {pod.name for pod in picture.old_revision_pods}
    crashing = {pod.name for pod in picture.crashing}
    well = [pod for pod in picture.old_revision_pods if pod.ready]
    return bool(crashing) and bool(well) and not crashing & old


def _began_after(picture: Picture, change: WorkloadChange) -> bool:
    """Tell whether every crashing pod was created after a change (a little before: clocks and queues)."""
    slack = timedelta(minutes=2)
    created = [pod.created_at for pod in picture.crashing]
    return all(at is not None and at >= change.at - slack for at in created)
