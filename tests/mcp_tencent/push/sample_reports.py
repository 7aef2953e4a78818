"""Reports as the night job and people make them."""

from __future__ import annotations

from mcp_tencent.push.message import Attachment, Link, Report, Severity

PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360f8cfc000000301010018dd8db00000000049454e44ae426082"
)

DIGEST = Report(
    reference="digest-2026-11-20",
    title="昨夜日报：两个事件已自愈，一个需要您处理",
    spoken="昨夜共有三个事件。订单服务和网关已经自愈，支付服务需要您处理。",
    severity=Severity.WARNING,
    markdown="""## 需要处理

**支付服务** 从 02:14 起错误率升到 18%，回滚后没有好转，已恢复原状。

> 建议：检查上游 `bank-gateway` 的证书，今天 09:00 到期。

## 昨夜的事件

| 事件 | 集群 | 工作负载 | 评分 | 结果 |
|:---|:---|:---|---:|:---|
| 镜像拉不下来 | 生产-广州 | order-service | 82 | 回滚后自愈 |
| 内存不断上涨，反复被杀 | 生产-广州 | api-gateway-with-a-very-long-name-7d9f8c6b5d | 74 | 重启后自愈 |
| 上游证书将到期 | 生产-上海 | payment | 91 | 需要人处理 |

### 关键日志

```
2026-11-20T18:14:03.221Z ERROR payment x509: certificate has expired or is not yet valid: current time \
2026-11-20T18:14:03Z is after 2026-11-20T18:00:00Z
```

1. 更新证书
2. 重启 `payment`
3. 看 [控制台](https://console.example.com/incidents/42)
""",
    attachments=(
        Attachment(filename="昨夜事件.csv", media_type="text/csv", content="事件,评分\n证书,91\n".encode()),
    ),
)

SHORT = Report(
    reference="incident-42",
    title="支付服务异常",
    spoken="支付服务错误率升高。",
    markdown="错误率 **18%**",
    severity=Severity.CRITICAL,
    mentions=("13800138000",),
)

WITH_BUTTON = Report(
    reference="incident-43",
    title="订单服务已恢复",
    spoken="订单服务已经恢复。",
    markdown="回滚到第 12 版后恢复。",
    links=(Link(title="查看事件", url="https://console.example.com/incidents/43"),),
)
