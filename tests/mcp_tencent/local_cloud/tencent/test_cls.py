"""CLS keeps what it is told: resources, searches, uploads, alarms."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tencentcloud.cls.v20201016 import models
from tencentcloud.cls.v20201016.cls_client import ClsClient
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException

from mcp_tencent.local_cloud.tencent.cls.alarm_condition import ConditionSyntaxError, Rows, parse_condition
from mcp_tencent.local_cloud.tencent.cls.alarm_schedule import Daily, Periodic, parse_cron, runs
from mcp_tencent.local_cloud.tencent.cls.log_upload import (
    MalformedUploadError,
    UploadTooLargeError,
    decode_log_groups,
    decompress_lz4_block,
)
from tests.mcp_tencent.local_cloud.tencent.simulated_cloud import (
    LOGSET,
    REGION,
    START,
    TOPIC,
    SimulatedCloud,
    alert,
    milliseconds,
)
from tests.mcp_tencent.local_cloud.tencent.uploads import log, log_group_list, lz4_literals

HOUR = {"From": milliseconds(START), "To": milliseconds(START + timedelta(hours=1))}
MINUTE = timedelta(minutes=1)


def call(cloud: SimulatedCloud, action: str, **parameters: Any) -> dict[str, Any]:
    return cloud.call(ClsClient, action, parameters)


def refusal(cloud: SimulatedCloud, action: str, **parameters: Any) -> str:
    with pytest.raises(TencentCloudSDKException) as refused:
        cloud.call(ClsClient, action, parameters)
    code: str = refused.value.get_code()
    return code


def upload(cloud: SimulatedCloud, body: bytes, compress: str | None = None) -> None:
    request = models.UploadLogRequest()
    request.TopicId = TOPIC
    if compress:
        request.CompressType = compress
    cloud.client(ClsClient).UploadLog(request, body)


def test_a_taken_name_is_refused_for_every_kind_of_resource(cloud: SimulatedCloud):
    call(cloud, "CreateAlarmNotice", Name="值班")
    call(cloud, "CreateDashboard", DashboardName="大盘")

    assert refusal(cloud, "CreateLogset", LogsetName="shop") == "InvalidParameter.LogsetConflict"
    assert (
        refusal(cloud, "CreateTopic", LogsetId=LOGSET, TopicName="shop-app")
        == "InvalidParameter.TopicConflict"
    )
    assert refusal(cloud, "CreateAlarmNotice", Name="值班") == "InvalidParameter.AlarmNoticeConflict"
    assert refusal(cloud, "CreateDashboard", DashboardName="大盘") == "InvalidParameter.DashboardNameConflict"
    index = {"FullText": {"CaseSensitive": False, "Tokenizer": " "}}
    assert refusal(cloud, "CreateIndex", TopicId=TOPIC, Rule=index) == "InvalidParameter.IndexConflict"


def test_a_logset_with_topics_cannot_be_deleted(cloud: SimulatedCloud):
    assert refusal(cloud, "DeleteLogset", LogsetId=LOGSET) == "FailedOperation.LogsetNotEmpty"
    call(cloud, "DeleteTopic", TopicId=TOPIC)
    call(cloud, "DeleteLogset", LogsetId=LOGSET)
    assert call(cloud, "DescribeLogsets")["TotalCount"] == 0


@pytest.mark.parametrize(
    ("action", "parameters", "code"),
    [
        ("ModifyLogset", {"LogsetId": "no"}, "ResourceNotFound.LogsetNotExist"),
        ("DeleteTopic", {"TopicId": "no"}, "ResourceNotFound.TopicNotExist"),
        ("SearchLog", {"TopicId": "no", **HOUR}, "ResourceNotFound.TopicNotExist"),
        ("DeleteAlarm", {"AlarmId": "no"}, "ResourceNotFound.AlarmNotExist"),
        ("DeleteAlarmNotice", {"AlarmNoticeId": "no"}, "ResourceNotFound.AlarmNoticeNotExist"),
        ("DeleteDashboard", {"DashboardId": "no"}, "ResourceNotFound.DashboardRecordNotExist"),
        ("DeleteScheduledSql", {"TaskId": "no", "SrcTopicId": "no"}, "ResourceNotFound.DataFromTaskNotExist"),
    ],
)
def test_what_does_not_exist_is_named_as_such(
    cloud: SimulatedCloud, action: str, parameters: dict[str, Any], code: str
):
    assert refusal(cloud, action, **parameters) == code


def test_lists_come_in_pages_that_together_are_whole(cloud: SimulatedCloud):
    for number in range(25):
        call(cloud, "CreateTopic", LogsetId=LOGSET, TopicName=f"topic-{number}")

    pages = [call(cloud, "DescribeTopics", Offset=offset, Limit=10) for offset in (0, 10, 20)]

    assert {page["TotalCount"] for page in pages} == {26}
    assert len({topic["TopicId"] for page in pages for topic in page["Topics"]}) == 26
    assert len(call(cloud, "DescribeTopics")["Topics"]) == 20


def test_names_match_in_part_unless_asked_precisely(cloud: SimulatedCloud):
    part = [{"Key": "topicName", "Values": ["shop"]}]

    assert call(cloud, "DescribeTopics", Filters=part)["TotalCount"] == 1
    assert call(cloud, "DescribeTopics", Filters=part, PreciseSearch=1)["TotalCount"] == 0


def test_a_new_topic_is_found_only_after_it_has_an_index(cloud: SimulatedCloud):
    topic = call(cloud, "CreateTopic", LogsetId=LOGSET, TopicName="fresh")["TopicId"]

    assert refusal(cloud, "SearchLog", TopicId=topic, **HOUR) == "ResourceNotFound.IndexNotExist"
    call(cloud, "CreateIndex", TopicId=topic, Rule={"FullText": {"CaseSensitive": False, "Tokenizer": " "}})
    assert call(cloud, "SearchLog", TopicId=topic, **HOUR)["Results"] == []


def test_a_search_returns_logs_newest_first_and_the_context_continues_it(cloud: SimulatedCloud):
    cloud.write(*((minute, f"line {minute}", {"level": "INFO"}) for minute in range(10)))
    cloud.clock.advance(timedelta(hours=1))
    seen: list[int] = []
    context = ""
    for _ in range(3):
        found = call(cloud, "SearchLog", TopicId=TOPIC, Limit=4, Context=context, **HOUR)
        seen += [log["Time"] for log in found["Results"]]
        context = found["Context"]

    assert seen == [milliseconds(START + minute * MINUTE) for minute in range(9, -1, -1)]
    assert found["ListOver"] is True
    other = {**HOUR, "From": HOUR["From"] + 1}
    assert (
        refusal(cloud, "SearchLog", TopicId=TOPIC, Context=context, **other)
        == "FailedOperation.InvalidContext"
    )
    cloud.clock.advance(timedelta(hours=1, seconds=1))
    assert (
        refusal(cloud, "SearchLog", TopicId=TOPIC, Context=context, **HOUR)
        == "FailedOperation.InvalidContext"
    )


def test_contexts_reach_ten_thousand_logs_and_no_further(cloud: SimulatedCloud):
    cloud.write(*((0, f"line {number}", {}) for number in range(10_500)))
    cloud.clock.advance(timedelta(hours=1))
    context, read = "", 0
    for _ in range(10):
        found = call(cloud, "SearchLog", TopicId=TOPIC, Limit=1000, Context=context, **HOUR)
        context, read = found["Context"], read + len(found["Results"])

    assert read == 10_000
    code = refusal(cloud, "SearchLog", TopicId=TOPIC, Limit=1000, Context=context, **HOUR)
    assert code == "FailedOperation.GetlogReachLimit"
    beyond = call(cloud, "SearchLog", TopicId=TOPIC, Limit=1000, Offset=10_000, **HOUR)
    assert len(beyond["Results"]) == 500


def test_pkg_log_id_is_text_in_a_search_and_a_number_in_a_context(cloud: SimulatedCloud):
    cloud.write(*((minute, f"line {minute}", {"level": "INFO"}) for minute in range(5)))
    cloud.clock.advance(timedelta(hours=1))
    found = call(cloud, "SearchLog", TopicId=TOPIC, QueryString="2", **HOUR)["Results"][0]

    around = call(
        cloud,
        "DescribeLogContext",
        TopicId=TOPIC,
        BTime="2026-11-20 08:02:00.000",
        PkgId=found["PkgId"],
        PkgLogId=int(found["PkgLogId"]),
        PrevLogs=1,
        NextLogs=1,
    )

    assert isinstance(found["PkgLogId"], str)
    texts = [json.loads(log["Content"])["__CONTENT__"] for log in around["LogContextInfos"]]
    assert texts == ["line 1", "line 2", "line 3"]
    assert (around["PrevOver"], around["NextOver"]) == (False, False)


def test_an_analysis_answers_in_the_new_and_the_old_form(cloud: SimulatedCloud):
    cloud.write(*((minute, "x", {"level": "ERROR" if minute % 2 else "INFO"}) for minute in range(5)))
    cloud.clock.advance(timedelta(hours=1))
    query = "* | select level, count(*) as n group by level order by n desc"

    new = call(cloud, "SearchLog", TopicId=TOPIC, QueryString=query, UseNewAnalysis=True, **HOUR)
    old = call(cloud, "SearchLog", TopicId=TOPIC, QueryString=query, **HOUR)

    assert [json.loads(row) for row in new["AnalysisRecords"]] == [
        {"level": "INFO", "n": 3},
        {"level": "ERROR", "n": 2},
    ]
    assert [column["Name"] for column in new["Columns"]] == ["level", "n"]
    assert old["ColNames"] == ["level", "n"]
    assert old["AnalysisResults"][1]["Data"] == [
        {"Key": "level", "Value": "ERROR"},
        {"Key": "n", "Value": "2"},
    ]


def test_a_syntax_error_tells_its_position(cloud: SimulatedCloud):
    with pytest.raises(TencentCloudSDKException) as refused:
        call(cloud, "SearchLog", TopicId=TOPIC, QueryString="level:(ERROR", **HOUR)

    assert refused.value.get_code() == "FailedOperation.SyntaxError"
    assert "position" in refused.value.get_message()


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"TopicId": TOPIC, "Topics": [{"TopicId": TOPIC}]},
        {"TopicId": TOPIC, "Offset": 1, "Context": "x"},
        {"TopicId": TOPIC, "Limit": 1001},
        {"TopicId": TOPIC, "Sort": "up"},
        {"TopicId": TOPIC, "QueryString": "x" * 12_289},
        {"TopicId": TOPIC, "QuerySyntax": 2},
        {"TopicId": TOPIC, "To": HOUR["From"]},
    ],
)
def test_a_contradictory_search_is_refused(cloud: SimulatedCloud, parameters: dict[str, Any]):
    assert refusal(cloud, "SearchLog", **{**HOUR, **parameters}).startswith("InvalidParameter")


def test_several_topics_are_searched_together_and_one_without_index_spoils_nothing(cloud: SimulatedCloud):
    cloud.write((1, "here", {}))
    bare = call(cloud, "CreateTopic", LogsetId=LOGSET, TopicName="bare")["TopicId"]
    cloud.clock.advance(timedelta(hours=1))

    found = call(cloud, "SearchLog", Topics=[{"TopicId": TOPIC}, {"TopicId": bare}], **HOUR)

    assert [log["TopicName"] for log in found["Results"]] == ["shop-app"]
    assert [error["ErrorCodeStr"] for error in found["Topics"]["Errors"]] == [
        "ResourceNotFound.IndexNotExist"
    ]
    assert found["Topics"]["Infos"][0]["Context"]


def test_a_histogram_counts_what_the_search_finds(cloud: SimulatedCloud):
    cloud.write((1, "a", {}), (1, "b", {}), (30, "c", {}))
    cloud.clock.advance(timedelta(hours=1))

    bars = call(cloud, "DescribeLogHistogram", TopicId=TOPIC, Query="*", Interval=600_000, **HOUR)

    assert [bar["Count"] for bar in bars["HistogramInfos"]] == [2, 0, 0, 1, 0, 0]
    assert bars["TotalCount"] == 3
    assert (
        refusal(cloud, "DescribeLogHistogram", TopicId=TOPIC, Query="*", Interval=1000, **HOUR)
        == "InvalidParameterValue"
    )


@pytest.mark.parametrize("compress", [None, "lz4"])
def test_uploaded_logs_can_be_searched(cloud: SimulatedCloud, compress: str | None):
    body = log_group_list([log(milliseconds(START), {"level": "ERROR", "msg": "支付失败"})])
    upload(cloud, lz4_literals(body) if compress else body, compress)
    cloud.clock.advance(MINUTE)

    found = call(cloud, "SearchLog", TopicId=TOPIC, QueryString="level:ERROR", **HOUR)["Results"][0]

    assert json.loads(found["LogJson"])["msg"] == "支付失败"
    assert json.loads(found["LogJson"])["__TAG__.zone"] == "gz-6"
    assert (found["Source"], found["FileName"]) == ("10.0.0.9", "/app.log")


def test_bad_uploads_are_refused_with_their_codes(cloud: SimulatedCloud):
    def code(body: bytes, compress: str | None = None) -> str:
        with pytest.raises(TencentCloudSDKException) as refused:
            upload(cloud, body, compress)
        found: str = refused.value.get_code()
        return found

    assert code(b"\xff\xff") == "InvalidParameter.Content"
    assert code(b"") == "FailedOperation.MissingContent"
    assert code(b"x", "zstd") == "InvalidParameterValue"
    call(cloud, "ModifyTopic", TopicId=TOPIC, Status=False)
    assert code(log_group_list([log(1, {})])) == "FailedOperation.TopicClosed"


@given(st.binary(max_size=300))
def test_no_bytes_break_the_upload_reader(body: bytes):
    for read in (decode_log_groups, decompress_lz4_block):
        with suppress(MalformedUploadError, UploadTooLargeError):
            read(body)


def test_an_lz4_block_that_repeats_itself_is_unfolded_and_bounded():
    repeating = bytes([0x1F]) + b"a" + b"\x01\x00" + bytes([10]) + bytes([0x10]) + b"b"

    assert decompress_lz4_block(repeating) == b"a" * 30 + b"b"
    bomb = bytes([0x1F]) + b"a" + b"\x01\x00" + b"\xff" * 100_000 + b"\x00"
    with pytest.raises(UploadTooLargeError):
        decompress_lz4_block(bomb)


def alarm(**changes: Any) -> dict[str, Any]:
    target = {
        "TopicId": TOPIC,
        "LogsetId": LOGSET,
        "Query": "level:ERROR | select count(*) as errors",
        "Number": 1,
        "StartTimeOffset": -1,
        "EndTimeOffset": 0,
        "SyntaxRule": 1,
    }
    return {
        "Name": "错误过多",
        "AlarmTargets": [target],
        "MonitorTime": {"Type": "Period", "Time": 1},
        "TriggerCount": 2,
        "AlarmPeriod": 15,
        "MultiConditions": [
            {"Condition": "$1.errors > 0", "AlarmLevel": 0},
            {"Condition": "$1.errors > 5", "AlarmLevel": 2},
        ],
    } | changes


def history(cloud: SimulatedCloud, **parameters: Any) -> list[dict[str, Any]]:
    window = {"From": HOUR["From"], "To": HOUR["From"] + 86_400_000, "Offset": 0, "Limit": 100}
    records: list[dict[str, Any]] = call(cloud, "DescribeAlertRecordHistory", **{**window, **parameters})[
        "Records"
    ]
    return records


def errors(minutes: range, each: int = 1) -> list[tuple[int, str, dict[str, str]]]:
    return [(minute, "boom", {"level": "ERROR"}) for minute in minutes for _ in range(each)]


def test_an_alarm_fires_when_its_condition_has_held_long_enough_and_recovers(cloud: SimulatedCloud):
    call(cloud, "CreateAlarm", **alarm())
    cloud.write(*errors(range(10, 20)))
    cloud.clock.advance(15 * MINUTE)
    (open_record,) = history(cloud)
    cloud.clock.advance(15 * MINUTE)
    (ended,) = history(cloud)

    assert (open_record["Status"], open_record["Duration"]) == (0, 3)
    assert open_record["CreateTime"] == milliseconds(START + 12 * MINUTE)
    assert (ended["Status"], ended["Duration"], ended["AlarmLevel"]) == (1, 9, 0)
    assert ended["RecordId"] == open_record["RecordId"]
    assert ended["Trigger"] == "$1.errors > 0"


def test_the_most_severe_condition_that_holds_decides_the_level(cloud: SimulatedCloud):
    call(cloud, "CreateAlarm", **alarm())
    cloud.write(*errors(range(10, 12), each=6))
    cloud.clock.advance(15 * MINUTE)

    assert [record["AlarmLevel"] for record in history(cloud)] == [2]


def test_a_condition_that_holds_too_briefly_does_not_fire(cloud: SimulatedCloud):
    call(cloud, "CreateAlarm", **alarm())
    cloud.write(*errors(range(10, 11)))
    cloud.clock.advance(30 * MINUTE)

    assert history(cloud) == []


def test_changing_an_alarm_makes_its_open_alert_invalid_and_deleting_keeps_the_history(cloud: SimulatedCloud):
    alarm_id = call(cloud, "CreateAlarm", **alarm())["AlarmId"]
    cloud.write(*errors(range(1, 60)))
    cloud.clock.advance(10 * MINUTE)
    call(cloud, "ModifyAlarm", AlarmId=alarm_id, Status=False)
    cloud.clock.advance(10 * MINUTE)
    call(cloud, "DeleteAlarm", AlarmId=alarm_id)

    assert [record["Status"] for record in history(cloud)] == [2]


def test_grouped_alarms_tell_one_alert_for_each_group(cloud: SimulatedCloud):
    target = {
        **alarm()["AlarmTargets"][0],
        "Query": "level:ERROR | select service, count(*) as errors group by service",
    }
    grouped = alarm(
        AlarmTargets=[target], GroupTriggerStatus=True, GroupTriggerCondition=["service"], TriggerCount=1
    )
    call(cloud, "CreateAlarm", **grouped)
    cloud.write(
        *((minute, "x", {"level": "ERROR", "service": name}) for minute in (5,) for name in ("pay", "cart"))
    )
    cloud.clock.advance(10 * MINUTE)

    groups = [record["GroupTriggerCondition"] for record in history(cloud)]

    assert sorted(group[0]["Value"] for group in groups) == ["cart", "pay"]


def test_the_runs_of_an_alarm_can_be_searched(cloud: SimulatedCloud):
    alarm_id = call(cloud, "CreateAlarm", **alarm())["AlarmId"]
    cloud.write(*errors(range(3, 6)))
    cloud.clock.advance(10 * MINUTE)
    window = {"From": HOUR["From"], "To": HOUR["To"]}
    query = f'alert_id:"{alarm_id}" AND condition_evaluate_result:"QueryResultMatch"'

    found = call(cloud, "GetAlarmLog", QueryString=query, Limit=100, **window)
    counted = call(
        cloud,
        "GetAlarmLog",
        QueryString="* | select condition_evaluate_result as r, count(*) as n group by r order by n",
        UseNewAnalysis=True,
        **window,
    )

    assert len(found["Results"]) == 3
    assert [json.loads(row)["n"] for row in counted["AnalysisRecords"]] == [3, 7]


def test_an_alarm_with_a_broken_statement_says_so_in_its_log(cloud: SimulatedCloud):
    target = {**alarm()["AlarmTargets"][0], "Query": "* | select nothing from nowhere"}
    call(cloud, "CreateAlarm", **alarm(AlarmTargets=[target]))
    cloud.clock.advance(2 * MINUTE)

    found = call(cloud, "GetAlarmLog", QueryString='condition_evaluate_result:"ProcessError"', **HOUR)

    assert len(found["Results"]) == 2
    assert history(cloud) == []


def test_told_alerts_are_filtered_by_alarm_topic_status_and_level(cloud: SimulatedCloud):
    cloud.alarms.told = [
        alert(1, START, START + 5 * MINUTE),
        alert(2, START + MINUTE, level=0, alarm_id="alarm-other"),
        alert(3, START, region="ap-shanghai"),
    ]
    cloud.clock.advance(10 * MINUTE)

    def ids(key: str, value: str) -> list[str]:
        return [record["RecordId"] for record in history(cloud, Filters=[{"Key": key, "Values": [value]}])]

    assert [record["RecordId"] for record in history(cloud)] == ["record-2", "record-1"]
    assert ids("status", "0") == ["record-2"]
    assert ids("status", "1") == ["record-1"]
    assert ids("alarmLevel", "2") == ["record-1"]
    assert ids("alertId", "alarm-other") == ["record-2"]
    assert ids("topicId", "other") == []


@pytest.mark.parametrize(
    "changes",
    [
        {"AlarmTargets": []},
        {"TriggerCount": 0},
        {"AlarmPeriod": 1441},
        {"Condition": "$1.errors > 0"},
        {"MultiConditions": [{"Condition": "errors >", "AlarmLevel": 0}]},
        {"MultiConditions": [{"Condition": "$1.errors > 1", "AlarmLevel": 3}]},
        {"MonitorTime": {"Type": "Cron", "CronExpression": "61 * * * *"}},
        {"MonitorTime": {"Type": "Sometimes", "Time": 1}},
        {"Name": "a|b"},
    ],
)
def test_an_alarm_that_could_never_work_is_not_created(cloud: SimulatedCloud, changes: dict[str, Any]):
    assert refusal(cloud, "CreateAlarm", **alarm(**changes)).startswith("InvalidParameter")


def test_a_notice_group_in_use_cannot_be_deleted(cloud: SimulatedCloud):
    notice = call(cloud, "CreateAlarmNotice", Name="值班")["AlarmNoticeId"]
    call(cloud, "CreateAlarm", **alarm(AlarmNoticeIds=[notice]))

    assert refusal(cloud, "DeleteAlarmNotice", AlarmNoticeId=notice) == "OperationDenied.NoticeHasAlarm"


def test_a_topic_that_scheduled_sql_reads_cannot_be_deleted(cloud: SimulatedCloud):
    call(
        cloud,
        "CreateScheduledSql",
        SrcTopicId=TOPIC,
        Name="pv",
        EnableFlag=1,
        DstResource={"TopicId": TOPIC, "Region": REGION},
        ScheduledSqlContent="* | select count(*) as pv",
        ProcessStartTime=HOUR["From"],
        ProcessType=1,
        ProcessPeriod=5,
        ProcessTimeWindow="@m-5m,@m",
        ProcessDelay=0,
        SrcTopicRegion=REGION,
    )

    assert refusal(cloud, "DeleteTopic", TopicId=TOPIC) == "OperationDenied.TopicHasScheduleSqlTask"


@pytest.mark.parametrize(
    "question",
    [
        "错误日志有多少条",
        "状态码5xx按 service 统计",
        "最近错误的趋势，每分钟",
        "包含“boom”的日志",
        "status 500 top 5 by level",
    ],
)
def test_what_the_assistant_suggests_can_be_run(cloud: SimulatedCloud, question: str):
    cloud.write((1, "boom", {"level": "ERROR", "status": "500", "service": "pay"}))
    cloud.clock.advance(timedelta(hours=1))
    metadata = [{"Key": "topic_id", "Value": TOPIC}, {"Key": "topic_region", "Value": REGION}]
    answer = call(
        cloud,
        "ChatCompletions",
        Model="text2sql",
        Messages=[{"Role": "user", "Content": question}],
        Metadata=metadata,
    )
    statement = answer["Choices"][0]["Message"]["Content"].split("```sql\n")[1].split("\n```")[0]

    found = call(cloud, "SearchLog", TopicId=TOPIC, QueryString=statement, UseNewAnalysis=True, **HOUR)

    assert found["AnalysisRecords"] if "|" in statement else found["Results"]


def test_the_assistant_streams_the_same_answer_in_pieces(cloud: SimulatedCloud):
    request = models.ChatCompletionsRequest()
    request.from_json_string(
        '{"Model": "text2sql", "Stream": true, "Messages": [{"Role": "user", "Content": "错误有多少"}]}'
    )

    events = [
        json.loads(event["data"]) for event in cloud.client(ClsClient).ChatCompletions(request) if event
    ]

    text = "".join(event["Choices"][0]["Delta"]["Content"] for event in events)
    assert "level:ERROR | select count(*) as log_count" in text
    assert events[-1]["Choices"][0]["FinishReason"] == "stop"


ROWS: Rows = {
    1: {"errors": 12, "ratio": 0.5, "Warning事件数": 3, "name": "pay", "gone": None},
    2: {"__QUERYCOUNT__": 0},
}


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("$1.errors > 10", True),
        ("[$1.errors]>= 12", True),
        ("$1.errors > 10 && $2.__QUERYCOUNT__ > 0", False),
        ("$1.errors > 100 || $1.Warning事件数 > 0", True),
        ("!($1.errors > 100)", True),
        ("$1.errors * $1.ratio == 6", True),
        ("$1.errors - 2 - 3 == 7", True),
        ("$1.name == 'pay'", True),
        ('$1.name != "pay"', False),
        ("$1.errors / 0 > 1", False),
        ("$1.gone > 0", False),
        ("$1.missing == 0", False),
        ("!($1.missing > 0)", False),
        ("$3.errors > 0", False),
        ("-$1.errors < 0", True),
    ],
)
def test_trigger_conditions(condition: str, holds: bool):
    assert parse_condition(condition).holds(ROWS) is holds


@given(st.text(alphabet="$1.ab_ ><=!&|()[]'\"+-*/%09", max_size=60))
def test_no_text_breaks_the_reader_of_conditions(text: str):
    with suppress(ConditionSyntaxError):
        parse_condition(text).holds(ROWS)


def test_runs_are_counted_by_period_by_day_and_by_cron():
    day = timedelta(days=1)

    assert [run.minute for run in runs(Periodic(minutes=15), START, START + timedelta(hours=1))] == [
        15,
        30,
        45,
        0,
    ]
    assert runs(Daily(minute_of_day=9 * 60), START, START + day) == [START + timedelta(hours=1)]
    assert runs(parse_cron("0/20 8-9 * * *"), START, START + day / 2) == [
        START + 20 * n * MINUTE for n in range(1, 6)
    ]
    assert runs(parse_cron("0 8 * * 7"), START, START + 7 * day) == [START + 2 * day]
