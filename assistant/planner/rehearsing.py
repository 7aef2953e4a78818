"""Acts that are only to be rehearsed: 演练一下把某个服务缩到两个，别真缩 (pure)."""

from __future__ import annotations

import re

from assistant.planner.inventory import Inventory

_WORD = r"(?:演练|演习|预演|排练|彩排|试运行|试执行|试跑|空跑|干跑|预跑|模拟|dry[ -]?run|dryrun)"
_REHEARSED = re.compile(
    rf"(?:(?:先|只|就|帮我|请|给我|做个|做一次)*{_WORD}(?:一下子|一下|一遍|一次|下|模式)?(?:就行|就好|看看)?)"
    r"|(?:只|仅|光)(?:检查|校验|验证|看看|看效果|算一算|走流程)(?:一下)?(?:而?不|别)(?:真的?)?(?:执行|生效|动手|落地|提交|动|做)"
    r"|(?:(?:先|但|可)?(?:别|不要|不用|不|甭)真(?:的|正|去)*(?:动手|执行|重启|回滚|删除|做|动|改|缩|扩|删|跑|来)?)",
    re.IGNORECASE,
)
_LOOSE = re.compile(r"^[，。、；\s]+|[，。、；\s]+$|(?<=[，。、；])[，、；\s]+")


def rehearsed(say: str, inventory: Inventory) -> str | None:
    """Return a sentence without the words that make it a rehearsal; None when there are none.

    Args:
        say: The sentence.
        inventory: What can be named: a service may be called 预演平台.
    """
    found = _REHEARSED.search(say)
    if found is None:
        return None
    names = (name for thing in inventory.things for name in (thing.id, *thing.names))
    if any(found[0] in name and name in say for name in names):
        return None
    return _LOOSE.sub("", _REHEARSED.sub("，", say)) or None
