"""Which rung of the ladder would help against which cause, and why the others cannot (pure)."""

from __future__ import annotations

from collections.abc import Mapping

from mcp_tencent.devops.diagnosis.causes import CauseKind, Help, Prospect
from mcp_tencent.devops.diagnosis.evidence import Evidence
from mcp_tencent.devops.diagnosis.picture import ChangeKind, Picture
from mcp_tencent.devops.diagnosis.revisions import last_good
from mcp_tencent.devops.incidents import Rung
from mcp_tencent.models.workloads import WorkloadKind

_YES, _MAYBE, _NO, _WORSE = Help.HELPS, Help.MAY_HELP, Help.CANNOT_HELP, Help.WORSENS
_Row = tuple[tuple[Help, str], tuple[Help, str], tuple[Help, str], tuple[Help, str], tuple[Help, str]]
_CLIMBED = (Rung.RESTART, Rung.SCALE, Rung.ROLL_BACK, Rung.ISOLATE, Rung.RESTORE)
_CUT_OFF = (_NO, "隔离会把正常的流量也切断")
_NOT_CHANGED = (_NO, "故障前没有改动，恢复备份点也一样")

_TABLE: Mapping[CauseKind, _Row] = {
    CauseKind.BAD_IMAGE: (
        (_NO, "重启还是拉同一个镜像"),
        (_NO, "新增的副本也拉不下镜像"),
        (_YES, "回滚到上一个能拉取的镜像"),
        (_NO, "老副本还在服务，隔离只会更糟"),
        (_YES, "恢复到发布前的备份点就回到旧镜像"),
    ),
    CauseKind.BAD_RELEASE: (
        (_NO, "重启以后跑的还是有问题的版本"),
        (_NO, "加副本只是多跑几个有问题的版本"),
        (_YES, "回滚到上一个好的版本"),
        _CUT_OFF,
        (_YES, "恢复到发布前的备份点就回到旧版本"),
    ),
    CauseKind.BAD_CONFIGURATION: (
        (_NO, "重启读到的还是错的配置"),
        (_NO, "新副本读到的也是错的配置"),
        (_NO, "错在配置，不在版本，回滚版本没有用"),
        _CUT_OFF,
        (_YES, "恢复到改配置之前的备份点，再重启生效"),
    ),
    CauseKind.STALE_CONFIGURATION: (
        (_YES, "配置已经改过，重启后副本会读到新的值"),
        (_NO, "老副本还拿着旧配置"),
        (_NO, "错在没有读到新配置，不在版本"),
        _CUT_OFF,
        (_NO, "备份点里可能正是旧的配置"),
    ),
    CauseKind.MEMORY_LEAK: (
        (_MAYBE, "重启能释放内存，顶一段时间"),
        (_NO, "每个副本都会漏，加副本没有用"),
        (_NO, "最近没有发布，回滚没有依据"),
        _CUT_OFF,
        _NOT_CHANGED,
    ),
    CauseKind.OVERLOAD: (
        (_WORSE, "重启会让热好的副本下线，更扛不住"),
        (_YES, "加副本分担流量"),
        (_NO, "版本没有变，是流量大了"),
        _CUT_OFF,
        _NOT_CHANGED,
    ),
    CauseKind.QUOTA_EXHAUSTED: (
        (_WORSE, "重启会让热好的副本下线，更扛不住"),
        (_NO, "配额用完了，加不了副本，要先由人提高配额"),
        (_NO, "版本没有变，是流量大了"),
        _CUT_OFF,
        _NOT_CHANGED,
    ),
    CauseKind.NO_ROOM: (
        (_NO, "节点放不下，重启也排不上"),
        (_NO, "副本再多也排不上，要给节点池加节点"),
        (_NO, "不是版本的问题"),
        _CUT_OFF,
        (_MAYBE, "如果刚调大过资源，恢复备份点能退回去"),
    ),
    CauseKind.COLD_CACHE: (
        (_WORSE, "重启会把缓存清空，更慢"),
        (_NO, "新副本的缓存是冷的，会加重数据库"),
        (_NO, "版本没有变，而且回滚要重启，会清空缓存"),
        _CUT_OFF,
        _NOT_CHANGED,
    ),
    CauseKind.STUCK: (
        (_YES, "重启能让卡住的进程恢复"),
        (_MAYBE, "新副本没有卡住，能顶一部分流量"),
        (_NO, "没有新的发布，不是版本的问题"),
        _CUT_OFF,
        _NOT_CHANGED,
    ),
    CauseKind.DEPENDENCY_DOWN: (
        (_NO, "坏的是依赖，重启自己没有用"),
        (_NO, "坏的是依赖，加副本没有用"),
        (_NO, "坏的是依赖，回滚自己没有用"),
        (_NO, "坏的是依赖，隔离自己没有用"),
        (_NO, "坏的是依赖，恢复自己的备份点没有用"),
    ),
    CauseKind.NOISY_NEIGHBOUR: (
        (_NO, "重启后多半还在同样的节点上"),
        (_MAYBE, "多出来的副本可能落到安静的节点"),
        (_NO, "自己没有改动，回滚没有用"),
        (_YES, "隔离抢资源的邻居"),
        _NOT_CHANGED,
    ),
    CauseKind.NODE_DOWN: (
        (_MAYBE, "重启会让副本换到好的节点"),
        (_MAYBE, "加副本能补上丢掉的容量"),
        (_NO, "坏的是节点，不是版本"),
        (_NO, "坏的是节点，隔离工作负载没有用"),
        (_NO, "坏的是节点，恢复备份点没有用"),
    ),
    CauseKind.FLAPPING: (
        (_NO, "会自己好自己坏，重启看着好了还会再坏"),
        (_NO, "所有副本一起抖，加副本没有用"),
        (_NO, "发布和抖动对不上"),
        _CUT_OFF,
        _NOT_CHANGED,
    ),
    CauseKind.STORAGE_FULL: (
        (_NO, "磁盘还是满的，重启还会崩"),
        (_NO, "数据在原来的磁盘上，加副本没有用"),
        (_NO, "不是版本的问题"),
        (_NO, "隔离不会腾出磁盘"),
        (_NO, "恢复备份点不会腾出磁盘"),
    ),
    CauseKind.CRASHING: (
        (_MAYBE, "偶发的崩溃重启能好，反复崩溃多半没用"),
        (_NO, "新副本多半也会崩"),
        (_NO, "崩溃和发布对不上"),
        _CUT_OFF,
        (_MAYBE, "如果改过什么，恢复备份点能退回去"),
    ),
    CauseKind.ISOLATED: (
        (_NO, "网络被切断了，重启没有用"),
        (_NO, "网络被切断了，加副本没有用"),
        (_NO, "网络被切断了，回滚没有用"),
        (_NO, "已经隔离了，需要的是解除隔离"),
        (_YES, "恢复到隔离前的备份点会解除隔离"),
    ),
}  # fmt: skip
_NOTHING_TO_DO: Mapping[CauseKind, str] = {
    CauseKind.UNUSUAL_LOGS: "请求没有受影响，不用处理，提醒负责人看一下",
    CauseKind.ALREADY_RECOVERED: "已经恢复了，不用处理",
    CauseKind.NOTHING_WRONG: "没有异常，不用处理",
}
_HAND_OVER: Mapping[CauseKind, tuple[Help, str]] = {
    CauseKind.DEPENDENCY_DOWN: (_YES, "请依赖方的负责人处理"),
    CauseKind.QUOTA_EXHAUSTED: (_YES, "请有权限的人提高配额，再加副本"),
    CauseKind.NO_ROOM: (_YES, "请给节点池加节点"),
    CauseKind.FLAPPING: (_YES, "请负责人查清抖动的原因"),
    CauseKind.STORAGE_FULL: (_YES, "请负责人清理或者扩容磁盘"),
    CauseKind.COLD_CACHE: (_YES, "等缓存热起来就会恢复"),
    CauseKind.NODE_DOWN: (_YES, "请负责人检查节点"),
}


def prospects(kind: CauseKind, picture: Picture, *, culprit: str = "") -> tuple[Prospect, ...]:
    """Return what each rung would do against a cause, in the order of the ladder."""
    if kind in _NOTHING_TO_DO:
        why = _NOTHING_TO_DO[kind]
        return tuple(Prospect(rung=rung, help=Help.CANNOT_HELP, why=why) for rung in Rung)
    row = _TABLE.get(kind)
    if row is None:
        return _unsure(picture)
    found = [
        _adapted(Prospect(rung=rung, help=help_, why=why), kind, picture, culprit)
        for rung, (help_, why) in zip(_CLIMBED, row, strict=True)
    ]
    help_, why = _HAND_OVER.get(kind, (Help.MAY_HELP, "自动处理都不见效时交给负责人"))
    return (*found, Prospect(rung=Rung.HAND_OVER, help=help_, why=why))


def _unsure(picture: Picture) -> tuple[Prospect, ...]:
    """Return what to do against a cause that nobody knows: little."""
    help_, why = (
        (Help.MAY_HELP, "原因不明，可以先试影响最小的") if picture.troubled else (_NO, "现在没有异常，先观察")
    )
    return (
        Prospect(rung=Rung.RESTART, help=help_, why=why),
        *(Prospect(rung=rung, help=_NO, why="原因不明，没有依据") for rung in _CLIMBED[1:]),
        Prospect(rung=Rung.HAND_OVER, help=_YES, why="请负责人排查"),
    )


def _adapted(prospect: Prospect, kind: CauseKind, picture: Picture, culprit: str) -> Prospect:
    """Take what is special about this workload into account."""
    evidence = picture.evidence
    if kind is CauseKind.NODE_DOWN and evidence.workload.healthy:
        return Prospect(rung=prospect.rung, help=Help.CANNOT_HELP, why="副本已经在别的节点补齐了，不用处理")
    if prospect.rung is Rung.ISOLATE and kind is CauseKind.NOISY_NEIGHBOUR:
        return Prospect(rung=prospect.rung, help=prospect.help, why=f"隔离抢资源的 {culprit}", target=culprit)
    if prospect.rung is Rung.ROLL_BACK:
        return _rolling_back(prospect, kind, picture)
    if prospect.rung is Rung.SCALE and prospect.help is not Help.CANNOT_HELP:
        return _scaling(prospect, evidence)
    if prospect.rung is Rung.RESTART and evidence.workload.paused and prospect.help is not Help.WORSENS:
        return Prospect(rung=prospect.rung, help=Help.CANNOT_HELP, why="发布已暂停，重启不会生效")
    return prospect


def _rolling_back(prospect: Prospect, kind: CauseKind, picture: Picture) -> Prospect:
    released = any(change.kind is ChangeKind.RELEASE for change in picture.changes)
    if kind is CauseKind.MEMORY_LEAK and released and last_good(picture.evidence.revisions) is not None:
        return Prospect(rung=Rung.ROLL_BACK, help=Help.MAY_HELP, why="泄漏可能来自最近的发布，回滚能根治")
    if prospect.help is Help.HELPS and last_good(picture.evidence.revisions) is None:
        return Prospect(rung=Rung.ROLL_BACK, help=Help.CANNOT_HELP, why="没有保留更早的版本")
    return prospect


def _scaling(prospect: Prospect, evidence: Evidence) -> Prospect:
    if evidence.workload.ref.kind is WorkloadKind.DAEMON_SET:
        return Prospect(rung=Rung.SCALE, help=Help.CANNOT_HELP, why="守护进程集每个节点一个，不能调副本")
    scaler = evidence.autoscaler
    if scaler is not None and scaler.replicas_now >= scaler.replicas_max:
        why = f"自动伸缩已到上限 {scaler.replicas_max} 个，要先调高上限"
        return Prospect(rung=Rung.SCALE, help=Help.CANNOT_HELP, why=why)
    return prospect
