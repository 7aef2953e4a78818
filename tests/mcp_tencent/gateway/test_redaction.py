from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from pydantic import JsonValue

from mcp_tencent.gateway.call import PersonalData
from mcp_tencent.gateway.redact import STRICT
from mcp_tencent.gateway.redaction.names import names_a_secret
from mcp_tencent.gateway.redaction.personal import is_bank_card, is_id_card
from mcp_tencent.gateway.redaction.structure import Redactor

PEM_BODY = "MIIEowIBAAKCAQEAyzq3Vh7Gx9s8T2fKQ0aXo5Jt"
PEM = f"-----BEGIN RSA PRIVATE KEY-----\n{PEM_BODY}\n{PEM_BODY[::-1]}\n-----END RSA PRIVATE KEY-----"
SECRET_ID = "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE"
SECRET_KEY = "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"

# Text, and what must not come out of it.
PLANTED = [
    ("DB_PASSWORD=hunter2secret", "hunter2secret"),
    ("export MYSQL_PWD='p@ss w0rd'", "w0rd"),
    ('password: "s3cr3t\\"x9"', "x9"),
    ("password: s3cr3t # comment", "s3cr3t"),
    ("spring.datasource.password=abc,def", "def"),
    ("user=x,password=y9y9,host=z", "y9y9"),
    ("{'password': 'hunter2secret', 'user': 'bob'}", "hunter2secret"),
    ('token=>"abc123"', "abc123"),
    ("password = 123456", "123456"),
    ("--password hunter2secret", "hunter2secret"),
    ("--password=hunter2secret", "hunter2secret"),
    ("-token 'hunter2 secret'", "secret'"),
    ("mysql -h db -uroot -phunter2 shop", "hunter2"),
    ("curl -u admin:hunter2 https://x", "hunter2"),
    ("postgres://app:s3cr3tpw@db:5432/x", "s3cr3tpw"),
    ("redis://:pw123@cache:6379/0", "pw123"),
    ("https://0123456789abcdef0123@git.example/x.git", "0123456789abcdef0123"),
    ("Authorization: Bearer abcdef0123456789abcdef", "abcdef0123456789abcdef"),
    ("curl -H 'Authorization: Basic dXNlcjpwYXNz' https://x", "dXNlcjpwYXNz"),
    ("sent Basic dXNlcjpwYXNz", "dXNlcjpwYXNz"),
    ("X-Api-Key: 12ab34cd", "12ab34cd"),
    ("Cookie: sid=abc0; theme=dark", "abc0"),
    ("https://oapi.dingtalk.com/robot/send?access_token=0123456789abcdef&timestamp=1", "0123456789abcdef"),
    ("https://x/robot/send?timestamp=1&sign=abcDEF%2B123456", "abcDEF%2B123456"),
    ("https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=693a91f6-7bcd-4bc4-97a0-0ec2sifa5aaa", "693a91f6"),
    ("https://open.feishu.cn/open-apis/bot/v2/hook/6a5f1c9e-aaaa-bbbb-cccc-1234567890ab", "6a5f1c9e"),
    ("SEC" + "0a1b2c3d" * 8, "0a1b2c3d"),
    (f"id {SECRET_ID}", SECRET_ID),
    (f"SecretId={SECRET_ID} SecretKey={SECRET_KEY}", SECRET_KEY),
    (f"{SECRET_ID} {SECRET_KEY}", SECRET_KEY),
    (f"TC3-HMAC-SHA256 Credential={SECRET_ID}/2026-11-20/cls/tc3_request, Signature={'1b' * 32}", "1b1b1b"),
    (f"token {JWT} refused", JWT.split(".")[2]),
    (PEM, PEM_BODY),
    (json.dumps({"key": PEM}), PEM_BODY),
    (PEM.replace("\n-----END RSA PRIVATE KEY-----", ""), PEM_BODY),
    (
        "client-key-data: " + base64.b64encode(PEM.encode()).decode(),
        base64.b64encode(PEM.encode()).decode()[40:60],
    ),
    ("LS0tLS1CRUdJTi" + "QUJDREVG" * 10, "QUJDREVGQUJDREVG"),
    ("users:\n- name: admin\n  user:\n    token: kubeconfigtoken9\n", "kubeconfigtoken9"),
    ("token: |\n  abcdef\n  ghijk\nnext: ok", "ghijk"),
    ("- name: DB_PASSWORD\n  value: hunter2secret\n", "hunter2secret"),
    ('{"name":"DB_PASSWORD","value":"hunter2secret"}', "hunter2secret"),
    ('env: {"name": "DB_PASSWORD", "value": "hunter2secret"} end', "hunter2secret"),
    ('{"msg": "{\\"password\\":\\"hunter2secret\\"}"}', "hunter2secret"),
    ('got "{\\"password\\":\\"hunter2secret\\"}"', "hunter2secret"),
    ("密码：abcd1234", "abcd1234"),
    ("DB_PASSWORD=three words (and more)", "more"),
    ("password: 'it''s hunter2'", "hunter2"),
    ("password: )hunter2(", "hunter2"),
    ("cfg {password=hun)ter2, user=bob}", "ter2"),
    ("口令是 abcd1234。", "abcd1234"),
    ("手机13812345678已登记", "13812345678"),
    ("+86 138-1234-5678", "1234-5678"),
    ("8613812345678", "13812345678"),
    ("身份证 11010519491231002X", "11010519491231002X"),
    ("card 6222021234567890128", "6222021234567890128"),
    ("card 6222 0212 3456 7890 128", "7890 128"),
    ("mail zhang.san@example.com", "zhang.san"),
    (f"xz_{'a1B2' * 10}xyz", "a1B2a1B2"),
    ("ghp_" + "a1B2" * 9, "a1B2a1B2"),
]


@pytest.mark.parametrize(("text", "secret"), PLANTED, ids=[text[:40] for text, _ in PLANTED])
def test_a_secret_does_not_come_out(text, secret):
    assert secret in text
    assert secret not in STRICT.text(text)


@pytest.mark.parametrize(("text", "secret"), PLANTED, ids=[text[:40] for text, _ in PLANTED])
def test_what_stands_around_a_secret_does(text, secret):
    before, after = "2026-11-20 08:00:00 order 20261120000123\n", "\ntrace 4bf92f3577b34da6a3ce929d0e0e4736"
    framed = f"{before}{text}{after}"
    masked = STRICT.text(framed)
    assert secret not in masked
    assert masked.startswith(before)
    if "PRIVATE KEY" not in text or "END" in text:
        assert masked.endswith(after)


@pytest.mark.parametrize(("text", "secret"), PLANTED, ids=[text[:40] for text, _ in PLANTED])
def test_masking_what_is_masked_changes_nothing(text, secret):
    once = STRICT.text(text)
    assert STRICT.text(once) == once


@pytest.mark.parametrize(
    "text",
    [
        "order 20261120123456789012 paid 129.00 元",
        "order_id=4200002601202611201234567890 refund",
        "trace_id=4bf92f3577b34da6a3ce929d0e0e4736 span_id=00f067aa0ba902b7",
        "2026-11-20T08:00:00.123+08:00 INFO pod orders-7d9f8b6c5d-x2x9z ip 10.0.12.7:8080 node 172.16.3.4",
        "ccr.tencentyun.com/shop/orders@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "ts=1763596800123 us=1763596800123456 ns=1763596800123456789 dur=13812345678ns",
        "memory 13812345678 bytes, disk 15912345678B",
        "requestId: 3c140219-cfe9-470e-b241-907877d6fb03",
        "invalid token: expired",
        "password: required",
        "max_tokens: 4096, tokens used: 15, token_count=3",
        "secretName: orders-tls, imagePullSecrets: [regcred]",
        "serviceAccountToken mounted at /var/run/secrets",
        "PWD=/home/app OLDPWD=/root",
        "GET /api/items?key=short&page=2 HTTP/1.1 200 12ms",
        "idempotency_key=night-2026-11-20 primary key: id",
        "keyboard: qwerty; monkey=3; tokenizer: jieba",
        "authentication failed for user bob: Bearer authentication required",
        "cluster cls-abcd1234 nodepool np-0a1b2c3d instance ins-9x8y7z6w",
        "java.lang.NullPointerException at com.shop.Order.pay(Order.java:13812)",
        "commit 9fceb02d0ae598e95dc970b74767f19372d61af8 by build 13912",
        "连接超时：订单服务 5 次重试后失败，耗时 3000ms",
        "https://console.cloud.tencent.com/tke2/cluster?rid=1&id=cls-abcd",
        "0.13812345678 -13.812345678e10 version 1.3.8",
        "git@orders:shop user@host",
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
        "PodDisruptionBudget: minAvailable 1 | readOnlyRootFilesystem: true",
        "流水 6228480402564890018001234 处理完成",
    ],
)
def test_ordinary_text_is_unharmed(text):
    assert STRICT.text(text) == text


STRUCTURES = [
    {"password": "hunter2secret"},
    {"password": 22222222},
    {"DB_PASSWORD": ["hunter2secret"]},
    {"credentials": {"user": "bob", "pin": "hunter2secret"}},
    {"env": [{"name": "DB_PASSWORD", "value": "hunter2secret"}]},
    {"env": [{"value": "hunter2secret", "name": "DB_PASSWORD"}]},
    {"fields": [{"key": "access_token", "v": "hunter2secret"}]},
    {"args": ["--password", "hunter2secret"]},
    {"pairs": [["api_key", "hunter2secret"]]},
    {"columns": ["user", "password"], "rows": [["bob", "hunter2secret"]]},
    {"columns": [{"name": "password"}], "rows": [["hunter2secret"]]},
    {"kind": "Secret", "data": {"anything": "hunter2secret"}},
    {"kind": "Secret", "stringData": {"anything": "hunter2secret"}},
    {"token=hunter2secret": 1},
    {"deep": [[[{"log": "login with password=hunter2secret ok"}]]]},
    {"embedded": json.dumps({"items": [{"name": "DB_PASSWORD", "value": "hunter2secret"}]})},
    {"twice": json.dumps(json.dumps({"secret_key": "hunter2secret"}))},
    {
        "lines": [
            "-----BEGIN EC PRIVATE KEY-----",
            "hunter2secretMIIEowIBAAKCAQEA",
            "-----END EC PRIVATE KEY-----",
        ]
    },
    {"lines": [{"m": "08:00 -----BEGIN PRIVATE KEY-----"}, {"m": "08:00 hunter2secretMIIEowIBAAKCAQEA"}]},
]


@pytest.mark.parametrize("value", STRUCTURES, ids=[str(value)[:50] for value in STRUCTURES])
def test_a_secret_does_not_come_out_of_structure(value):
    masked = json.dumps(STRICT.value(value))
    assert "hunter2secret" not in masked
    assert "22222222" not in masked
    assert STRICT.value(STRICT.value(value)) == STRICT.value(value)


@pytest.mark.parametrize(
    "value",
    [
        {"replicas": 3, "ready": True, "ratio": 0.5, "none": None, "pods": ["orders-7d9f8b6c5d-x2x9z"]},
        {"env": [{"name": "LOG_LEVEL", "value": "debug"}, {"name": "PORT", "value": "8080"}]},
        {"bytes": 13812345678, "at_ms": 1763596800123},
        {"token_count": 5, "secretName": "tls", "password": None, "hasToken": True, "token": ""},
        {"columns": ["user", "count"], "rows": [["bob", 3]]},
        {"json": '{"a": 1,  "b":[2]}'},
        {"kind": "ConfigMap", "data": {"a": "b"}},
        {
            "lines": [
                "-----BEGIN PRIVATE KEY-----x-----END PRIVATE KEY-----",
                "4bf92f3577b34da6a3ce929d0e0e4736",
            ]
        },
    ],
    ids=lambda value: str(value)[:50],
)
def test_ordinary_structure_is_unharmed(value):
    masked: Any = STRICT.value(value)
    if "lines" in value:
        assert masked["lines"][1] == value["lines"][1]
    else:
        assert masked == value


def test_a_phone_number_that_is_a_number_is_found_by_its_name():
    assert STRICT.value({"mobile": 13812345678}) == {"mobile": "[已隐藏:手机号]"}


def test_a_tool_that_is_about_addresses_shows_them_and_nothing_else():
    redactor = Redactor(frozenset({PersonalData.EMAIL, PersonalData.MOBILE}))
    text = "a@example.com 13812345678 11010519491231002X password=hunter2"
    assert redactor.text(text) == "a@example.com 13812345678 [已隐藏:身份证号] password=[已隐藏]"


def test_half_a_character_becomes_one_that_can_be_sent():
    assert STRICT.text("日志\ud83d坏了") == "日志?坏了"


def test_what_is_nested_too_deeply_to_be_looked_at_does_not_leave():
    value: JsonValue = "password=hunter2secret"
    for _ in range(500):
        value = [value]
    assert "hunter2secret" not in json.dumps(STRICT.value(value))


@pytest.mark.parametrize(
    "name", ["DB_PASSWORD", "dbPassword", "db-password", "MYSQL_PWD", "apiKey", "X-Api-Key"]
)
def test_names_of_secrets_are_known_in_every_spelling(name):
    assert names_a_secret(name)


@pytest.mark.parametrize(
    "name", ["secretName", "tokenCount", "PWD", "keyboard", "monkey", "tokens", "partition_key", "", "passed"]
)
def test_names_that_only_speak_of_secrets_are_told_apart(name):
    assert not names_a_secret(name)


def test_check_digits_are_checked():
    assert is_id_card("11010519491231002X")
    assert not is_id_card("110105194912310021")
    assert is_bank_card("6222021234567890128")
    assert not is_bank_card("6222021234567890129")
