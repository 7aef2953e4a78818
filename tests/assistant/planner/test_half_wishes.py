"""Around every act: what refuses it, asks about it, tells of it or puts it off. None of it is a wish."""

from datetime import datetime
from pathlib import Path

import pytest

from assistant.planner.evaluate import read_cases, written
from assistant.planner.inventory import read_inventory
from assistant.planner.lexicon import load_lexicon
from assistant.planner.planner import Planner

HOUSE = read_inventory(Path(__file__).parents[2] / "evaluation" / "inventories" / "warehouse.json")
ACTS = [
    "重启主库",
    "把主库重启了",
    "骑手端扩到五个",
    "回滚运单接口",
    "把运单接口退回上一版",
    "隔离报关服务",
    "报关服务解除隔离",
    "删掉 redis-cache-1",
    "大促节点池扩到十台",
    "删掉库存不符告警",
    "给周航回滚权限",
    "把林小雨的声纹删了",
    "跑一下夜间任务",
    "恢复检查点 cp-0317-a1",
]
AROUND = [
    "别{}",
    "先别{}",
    "千万不要{}",
    "不许{}",
    "谁让你{}的",
    "我没让你{}",
    "为什么{}",
    "谁{}的",
    "要不要{}",
    "该不该{}",
    "{}会怎么样",
    "{}会有影响吗",
    "{}安全吗",
    "{}要多久",
    "如果{}会怎样",
    "要是报错就{}",
    "万一挂了再{}",
    "等我确认了再{}",
    "等会儿{}",
    "明天{}",
    "今晚十二点{}",
    "半小时后{}",
    "听说{}了",
    "老王说要{}",
    "昨天{}了吗",
    "{}了没",
    "已经{}了",
    "刚才{}了",
    "我{}过了",
    "{}失败了",
    "{}完了吗",
    "怎么{}",
    "教我{}",
    "{}的步骤",
    "打算{}",
    "考虑{}",
    "正在{}",
    "{}合适吗",
    "除非挂了否则别{}",
    "不用{}",
    "没必要{}",
    "算了别{}",
    "{}，算了",
    "{}，开玩笑的",
    "{}？",
    "{}吗",
    "帮我想想要不要{}",
    "{}之前要做什么",
    "{}之后报错了",
    "上次{}是什么时候",
    "假装{}",
    "禁止{}",
    "不是{}",
    "而不是{}",
    "最好别{}",
    "能不{}就不{}",
    "可能要{}",
    "也许该{}",
    "下周再{}",
    "以后再{}",
    "到时候{}",
    "没问题的话{}",
    "确认没人用了再{}",
    "他想{}",
    "用户让我{}",
    "我怕{}",
    "忘了{}吧",
    "{}先缓缓",
]


@pytest.fixture(scope="module")
def planned():
    planner, inventory = Planner(), HOUSE.inventory()
    now = datetime.fromisoformat(HOUSE.now)
    return lambda say: [
        call["tool"]
        for call in written(planner.plan(say, inventory=inventory, now=now))
        if load_lexicon().tools[call["tool"]].risk == "danger"
    ]


@pytest.mark.parametrize("say", ACTS)
def test_an_act_that_is_plainly_wished_is_planned(planned, say):
    assert planned(say)


@pytest.mark.parametrize("around", AROUND)
def test_a_half_wish_is_no_act(planned, around):
    said = [around.replace("{}", act) for act in ACTS]
    assert {say: acts for say in said if (acts := planned(say))} == {}


def test_every_dangerous_case_of_the_house_can_be_refused(planned):
    cases = read_cases(Path(__file__).parents[2] / "evaluation" / "warehouse_test.jsonl")
    dangerous = [case.say for case in cases if len(case.expect) == 1 and planned(case.say)]
    assert dangerous
    assert {say: acts for say in dangerous if (acts := planned(f"千万别{say}"))} == {}
