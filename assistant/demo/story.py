"""The story of the demo, chapter by chapter: a night, a morning, a dangerous act, a stranger."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import time, timedelta
from email import message_from_bytes, policy
from pathlib import Path

from pydantic import JsonValue

from assistant.conversation.answer import Answer, Awaiting, TurnOutcome
from assistant.demo.actors import Actor
from assistant.demo.errors import DemoStepFailed
from assistant.demo.narrator import Narrator
from assistant.demo.post_office_aiosmtpd import Letter
from assistant.demo.stage import ACTS_IN, OWNER, OWNERS_MAIL, Stage
from assistant.night_progress import follow, outcome_rows
from assistant.people import Grant, Person, caller_of
from assistant.planner.plan import PlannedCall
from assistant.recorded_conversation import RecordedTurn
from assistant.witness import STRANGER
from hardware.audio import AudioClip
from hardware.recordings import read_recording, write_recording
from mcp_tencent.gateway.call import Permission
from mcp_tencent.push.channels import Channel
from mcp_tencent.push.records import DeliveryPreference, SqlPreferenceStore
from scheduler.digest_claims import ClaimState, Ending
from scheduler.records import JobOutcome

_ENROLMENT = (
    "你好小智，我是负责生产集群的值班工程师",
    "你好小智，看看昨天夜里有哪些告警",
    "你好小智，订单服务最近一小时怎么样",
    "你好小智，把支付服务的日志发到我的邮箱",
    "你好小智，今天早上有什么需要处理的事情",
    "你好小智，帮我检查一下所有集群的节点",
    "一，二，三，四，五",
    "六，七，八，九，零",
    "确认，可以执行",
    "好的，确认",
)
"""Long sentences and short ones, as they will be said."""
_QUESTIONS = (
    ("昨天夜里自动修好了哪些故障", frozenset({"remediation_history", "list_incidents", "remediation_stats"})),
    ("昨天最严重的告警有哪些", frozenset({"list_alerts", "alarm_history"})),
    ("订单服务的错误率为什么这么高", frozenset({"diagnose"})),
)
_ROLL_BACK = "把生产集群的订单服务回滚到上一个版本"
_TRIES = 3
_WATCHED = timedelta(minutes=8)
"""Verification wants seven minutes of logs after an act."""
_POST_LOOKS, _POST_EVERY_S = 300, 0.2

_WHERE = frozenset({"workload", "namespace", "cluster"})

Wanted = Callable[[RecordedTurn], bool]


@dataclass(slots=True)
class Story:
    """Tells the day.

    Args:
        stage: Where it plays.
        narrator: Who tells it.
        out: Folder for what is kept.
    """

    stage: Stage
    narrator: Narrator
    out: Path
    _owner: Person | None = field(default=None, init=False)

    async def tell(self) -> None:
        """Tell everything, in order.

        Raises:
            DemoStepFailed: a step did not come out as it should.
        """
        await self.enrol()
        await self.night()
        await self.morning()
        await self.questions()
        await self.roll_back()
        await self.stranger()
        await self.greeted_again()
        await self.post()
        await self.audit()

    # --- chapters ------------------------------------------------------------------------------------------

    async def enrol(self) -> None:
        """Make the owner known: permissions at the device, the voice by recordings."""
        self.narrator.chapter("认识主人", "enrolment")
        house, now = self.stage.house, self.stage.house.installation.wall.now()
        person = await asyncio.to_thread(lambda: house.people.add(OWNER, now=now))
        for permission in (Permission.READ, Permission.OPERATE, Permission.ROLLBACK):
            person = await asyncio.to_thread(house.people.grant, person.id, Grant(permission=permission))
        wishes = SqlPreferenceStore(house.night.engine)
        for channel, target in ((Channel.EMAIL, OWNERS_MAIL), (Channel.DINGTALK, "default")):
            wish = DeliveryPreference(person=person.id, channel=channel, target=target)
            await asyncio.to_thread(wishes.set, wish)
        files = [await asyncio.to_thread(self.stage.owner.record, text) for text in _ENROLMENT]
        clips = [read_recording(file) for file in files]
        await asyncio.to_thread(self.stage.voices.enrol, person, clips)
        self._owner = await asyncio.to_thread(house.people.get, person.id)
        seconds = sum(clip.duration_s for clip in clips)
        self.narrator.note(f"{OWNER}读了{len(clips)}句话，共{seconds:.0f}秒；声纹已经加密保存在本机。")
        self.narrator.note(f"权限：查看、操作、回滚；日报抄送 {OWNERS_MAIL} 和钉钉群。")
        self.narrator.keep("enrolled", person=OWNER, clips=len(clips), seconds=round(seconds, 1))

    async def night(self) -> None:
        """Run the night job for real."""
        self.narrator.chapter(f"夜间任务 {self.stage.local_now():%H:%M}", "the night job")
        self.narrator.note(f"策略：命名空间 {ACTS_IN} 允许自动处理，其余只观察。")
        night, began_s = self.stage.house.night, self.narrator.seconds
        watching = asyncio.create_task(follow(night, self.stage.zone, console=self.narrator.console))
        try:
            end = await night.nights.run(self.stage.local_now().date())
        finally:
            watching.cancel()
        if end.outcome is JobOutcome.FAILED:
            raise DemoStepFailed(f"the night job failed: {end.detail}")
        rows = await outcome_rows(night, end)
        self.narrator.table("故障", "评分", "结果", "为什么", rows=rows)
        healed = sum(one.status.value == "healed" for one in end.endings)
        took_s = self.narrator.seconds - began_s
        self.narrator.note(f"{len(end.endings)}个故障，自动修好{healed}个，用了{took_s:.0f}秒。")
        self.narrator.keep(
            "night",
            outcome=end.outcome.value,
            seconds=round(took_s, 1),
            incidents=[{"title": row[0], "score": row[1], "result": row[2], "why": row[3]} for row in rows],
        )
        if not healed:
            raise DemoStepFailed(f"the night healed nothing in {ACTS_IN}, where it was allowed to")
        kept = await asyncio.to_thread(night.digests.get, end.on)
        if kept is None:
            raise DemoStepFailed("the night wrote no digest")
        (self.out / "digest.html").write_text(kept.html, encoding="utf-8")
        await self._copies()  # on its way while hours leap by, a message would come with a stale signature

    async def morning(self) -> None:
        """Greet it for the first time: the digest is spoken."""
        self.stage.wait_until(time(7, 30))
        self.narrator.chapter(f"早上 {self.stage.local_now():%H:%M}", "the first greeting")
        turn = await self._said(self.stage.owner, "你好小智", lambda one: one.answer.digest is not None)
        sound = await self._spoken(turn)
        write_recording(self.out / "digest.wav", sound)
        claim = turn.answer.claim
        if claim is None:
            raise DemoStepFailed("the digest was spoken without a claim")
        now = self.stage.house.installation.wall.now()
        state = await asyncio.to_thread(
            lambda: self.stage.house.claims.end(
                claim, Ending.FINISHED, spoken_seconds=sound.duration_s, now=now
            )
        )
        if state is not ClaimState.DELIVERED:
            raise DemoStepFailed("the digest does not count as delivered")
        self.narrator.note(f"日报播了{sound.duration_s:.0f}秒，存为 {self.out / 'digest.wav'}。")
        self.narrator.keep("digest_spoken", person=OWNER, seconds=round(sound.duration_s, 1))

    async def questions(self) -> None:
        """Ask three questions."""
        self.narrator.chapter("随时提问", "three spoken questions")
        for text, tools in _QUESTIONS:
            turn = await self._said(
                self.stage.owner,
                f"你好小智，{text}",
                lambda one, wanted=tools: _answered_by(one, wanted),  # type: ignore[misc]
            )
            await self._spoken(turn)

    async def roll_back(self) -> None:
        """Have the bad release taken back: read back, confirmed, digits, done, verified."""
        self.narrator.chapter("说一声就回滚", "a dangerous act: read back, yes, four digits, verified")
        acted_at = self.stage.clock.now()
        for attempt in range(_TRIES):
            if attempt:
                self.narrator.note("没有执行，从头再来一遍。")
            answer = await self._confirmed()
            if answer is not None and answer.steps:
                break
        else:
            raise DemoStepFailed(f"{OWNER} could not get the roll-back confirmed, {_TRIES} times")
        step = answer.steps[-1]
        if not (step.done and step.call.tool == "roll_back"):
            raise DemoStepFailed(f"the order service was not rolled back: {step.spoken}")
        await self._verified(step.call, acted_at.isoformat(timespec="seconds"))

    async def _confirmed(self) -> Answer | None:
        """Ask for the roll-back and answer what is asked back; None when nothing was understood."""
        turn = await self._said(self.stage.owner, f"你好小智，{_ROLL_BACK}", _read_back)
        await self._spoken(turn)
        for _ in range(2):  # yes, then digits
            awaiting = turn.answer.awaiting
            words = "确认" if awaiting is Awaiting.CONFIRMATION else _digits_in(turn.answer.spoken)
            heard = await self._once(self.stage.owner, words)
            if not heard:
                return None
            turn = heard[-1]
            await self._spoken(turn)
            if turn.answer.awaiting is not Awaiting.DIGITS:
                return turn.answer
        return None

    async def _verified(self, act: PlannedCall, acted_at: str) -> None:
        """Look eight minutes later whether the logs agree."""
        self.stage.clock.forward(self.stage.clock.now() + _WATCHED)
        where = {
            name: act.arguments[name]
            for name in ("workload", "namespace", "cluster")
            if name in act.arguments
        }
        call = PlannedCall(tool="verify_workload", arguments={**where, "acted_at": acted_at})
        if self._owner is None:
            raise DemoStepFailed("nobody is enrolled")
        found = await self.stage.house.toolbox.call(call, caller=caller_of(self._owner))
        self.narrator.note(f"八分钟后核对日志和指标（{call.tool}）：")
        self.narrator.speech("小智", found.spoken, style="cyan")
        verdict = str(found.content.get("verdict", ""))
        self.narrator.keep("verified", tool=call.tool, spoken=found.spoken, verdict=verdict)
        if verdict != "healed":
            raise DemoStepFailed(f"the roll-back is not verified: {found.spoken}")

    async def stranger(self) -> None:
        """Have somebody unknown try."""
        self.narrator.chapter("陌生人", "a stranger is refused")
        turn = await self._said(
            self.stage.stranger,
            "你好小智，把生产集群的支付服务重启一下",
            lambda one: one.answer.outcome is TurnOutcome.REFUSED,
        )
        await self._spoken(turn)
        if turn.answer.steps or turn.answer.person is not None:
            raise DemoStepFailed("the stranger was not kept out")
        lines = await asyncio.to_thread(lambda: list(self.stage.house.night.trail.lines()))
        refusals = sum(line.outcome == STRANGER for line in lines)
        self.narrator.note(f"什么都没有执行；审计里留下{refusals}条记录。")
        self.narrator.keep("stranger_refused", audit_lines=refusals)
        if not refusals:
            raise DemoStepFailed("the stranger left no line in the audit")

    async def greeted_again(self) -> None:
        """Greet it once more: no second digest."""
        self.narrator.chapter("第二次问候", "no second digest")
        turn = await self._said(
            self.stage.owner, "你好小智", lambda one: one.answer.outcome is TurnOutcome.GREETED
        )
        await self._spoken(turn)

    async def post(self) -> None:
        """Look into the mailbox and the group."""
        self.narrator.chapter("邮件和群消息", "the copies")
        office, robot = self.stage.post_office, self.stage.robot
        letter = await self._copies()
        (self.out / "mail.eml").write_bytes(letter.content)
        subject = _subject(letter)
        titles = [one["title"] for one in robot.shown]
        self.narrator.note(
            f"本机邮件服务器收到{len(office.letters)}封，其中“{subject}”存为 {self.out / 'mail.eml'}。"
        )
        self.narrator.note(f"钉钉群收到{len(titles)}条，签名都对：{'；'.join(titles)}。")
        self.narrator.keep("mail", subject=subject, to=OWNERS_MAIL, letters=len(office.letters))
        self.narrator.keep(
            "dingtalk",
            titles=list[JsonValue](titles),
            signature="verified",
            refused=list[JsonValue](robot.refused),
        )

    async def audit(self) -> None:
        """Tell what was put on record."""
        trail = self.stage.house.night.trail
        lines, faults = await asyncio.to_thread(lambda: (sum(1 for _ in trail.lines()), trail.verify()))
        if faults:
            raise DemoStepFailed(f"the audit does not hold: {faults[0].sentence}")
        self.narrator.note(f"以上每一步都在审计里，共{lines}条，链条完整。")
        self.narrator.keep("audit", lines=lines, faults=0)

    async def _copies(self) -> Letter:
        """Wait until the mailbox and the group have the digest, and return the mail."""
        office, robot = self.stage.post_office, self.stage.robot
        for _ in range(_POST_LOOKS):
            letter = _digest_letter(office.letters)
            if letter is not None and any("日报" in one["title"] for one in robot.shown):
                return letter
            await asyncio.sleep(_POST_EVERY_S)
        raise DemoStepFailed(f"a copy did not arrive: {', '.join(robot.refused) or 'nothing came'}")

    # --- turns ---------------------------------------------------------------------------------------------

    async def _said(self, actor: Actor, text: str, wanted: Wanted) -> RecordedTurn:
        """Have somebody say something, again when it was misheard, and return the turn that it became."""
        for attempt in range(_TRIES):
            if attempt:
                self.narrator.note("不是想要的结果，再说一遍。")
            turns = await self._once(actor, text)
            if turns and wanted(turns[-1]):
                return turns[-1]
            if turns:
                await self._spoken(turns[-1])
        raise DemoStepFailed(
            f"{actor.name} said {text!r}, {_TRIES} times, and it did not come out as it should"
        )

    async def _once(self, actor: Actor, text: str) -> Sequence[RecordedTurn]:
        """Have somebody say something, and return what it became: nothing, where nothing was understood."""
        file = await asyncio.to_thread(actor.record, text)
        self.narrator.speech(actor.name, text, style="green")
        await asyncio.to_thread(self.stage.mouth.play, file)
        (heard,) = [one async for one in self.stage.conversation.hear([file])]
        for turn in heard.turns:
            self._show(actor, text, turn, hearing_ms=heard.hearing_ms)
            await self.stage.house.write_down(turn.heard, turn.answer)
        if not heard.turns:
            self.narrator.note("它没有听清。" if heard.wakes else "它没有听到有人叫它。")
            self.narrator.keep("unheard", who=actor.name, said=text, wake=bool(heard.wakes))
        return heard.turns

    def _show(self, actor: Actor, said: str, turn: RecordedTurn, *, hearing_ms: int) -> None:
        """Tell who was recognised, what was heard, which tools ran, and how long it all took."""
        speaker, answer = turn.heard.speaker, turn.answer
        name = answer.person.name if answer.person else "没认出来"
        heard = turn.heard.hearing.text or "（只叫了名字）"
        why = f"；{speaker.why}" if speaker.why else ""
        who = f"{name}（声纹{speaker.score:.2f}，需要{speaker.threshold:.2f}{why}）"
        self.narrator.note(f"听到：{heard}  ·  {who}")
        tools = [f"{step.call.tool}{_arguments(step.call)}" for step in answer.steps]
        if tools:
            self.narrator.note(f"工具：{'；'.join(tools)}")
        times = {
            "hearing": hearing_ms,
            "endpoint": turn.endpoint_ms,
            "speaker": turn.speaker_ms,
            "planning": answer.planning_ms,
            "tools": answer.tools_ms,
        }
        spent = "  ".join(f"{_TIMES[one]} {ms} ms" for one, ms in times.items() if ms)
        self.narrator.note(f"用时：{spent}")
        self.narrator.keep(
            "turn",
            who=actor.name,
            said=said,
            heard=turn.heard.hearing.text,
            recognised=answer.person.name if answer.person else None,
            score=round(speaker.score, 3),
            threshold=round(speaker.threshold, 3),
            why=speaker.why,
            outcome=answer.outcome.value,
            tools=[_as_values(step.call) for step in answer.steps],
            spoken=answer.spoken,
            digest=answer.digest is not None,
            timings_ms=dict[str, JsonValue](times),
        )

    async def _spoken(self, turn: RecordedTurn) -> AudioClip:
        """Have the answer said."""
        self.narrator.speech("小智", _told(turn.answer), style="cyan")
        return await asyncio.to_thread(self.stage.mouth.say, turn.answer.parts)


_TIMES = {"hearing": "听写", "endpoint": "等停顿", "speaker": "认人", "planning": "理解", "tools": "工具"}


def _answered_by(turn: RecordedTurn, tools: frozenset[str]) -> bool:
    steps = turn.answer.steps
    return bool(steps) and all(step.done for step in steps) and steps[0].call.tool in tools


def _read_back(turn: RecordedTurn) -> bool:
    return turn.answer.awaiting is Awaiting.CONFIRMATION and turn.answer.planned[-1].tool == "roll_back"


def _arguments(call: PlannedCall) -> str:
    told = ", ".join(f"{name}={value}" for name, value in call.arguments.items())
    return f"({told})"


def _digits_in(text: str) -> str:
    """Return the digits that were asked for, each by itself as people read them."""
    return "，".join(one for one in text if one in "零一二三四五六七八九")


def _as_values(call: PlannedCall) -> JsonValue:
    return {"tool": call.tool, "arguments": {name: _value(one) for name, one in call.arguments.items()}}


def _value(argument: object) -> JsonValue:
    return argument if isinstance(argument, str | int | float | bool) else str(argument)


def _told(answer: Answer) -> str:
    return "\n".join(answer.parts)


def _digest_letter(letters: Sequence[Letter]) -> Letter | None:
    """Return the mail with the digest, to the owner."""
    return next((one for one in letters if "日报" in _subject(one) and OWNERS_MAIL in one.recipients), None)


def _subject(letter: Letter) -> str:
    return str(message_from_bytes(letter.content, policy=policy.default)["Subject"])
