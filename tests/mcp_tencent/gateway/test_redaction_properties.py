from __future__ import annotations

import base64
import json
import re
import string
from urllib.parse import quote

import yaml
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import JsonValue

from mcp_tencent.gateway.redact import STRICT
from mcp_tencent.gateway.redaction.names import is_ordinary_value
from mcp_tencent.gateway.redaction.personal import is_bank_card, is_id_card

ALPHABET = string.ascii_letters + string.digits
NAMES = [
    *("password", "DB_PASSWORD", "dbPassword", "db.password", "MYSQL_PWD", "secret", "client_secret"),
    *("token", "access_token", "refresh-token", "apiKey", "API-KEY", "secret_key", "SecretKey"),
    *("private_key", "passphrase", "credential"),
]
names = st.sampled_from(NAMES)
# A secret as people and generators make them; long enough that it does not stand in ordinary text by chance.
tokens = st.text(ALPHABET + "_-./+=", min_size=10, max_size=60).filter(
    lambda value: (
        value[0].isalnum()
        and value[-1].isalnum()
        and not is_ordinary_value(value)
        and not any(piece in " ".join(NAMES) for piece in (value, value[:6], value[-6:]))
    )
)
phrases = st.text(ALPHABET + "_-./+=!@#$%^&*()~[]{}<>?|;:, '\"\\", min_size=10, max_size=40).filter(
    lambda value: value.strip() == value
)
words = st.text(st.sampled_from(ALPHABET + " .,_-:/()[]订单服务超时重试失败"), max_size=60).filter(
    lambda text: STRICT.text(text) == text
)
framed = st.tuples(words, words)


PIECE = 6


def comes_out(text: str, secret: str, *, beside: str = "") -> bool:
    """Tell whether any telling piece of `secret` is left, unless it stands `beside` the secret anyway."""
    return leaks(STRICT.text(text), secret, beside)


def leaks(masked: str, secret: str, beside: str = "") -> bool:
    pieces = {secret[at : at + PIECE] for at in range(len(secret) - PIECE + 1)}
    known = " ".join((beside, *NAMES))
    return any(piece in masked and piece not in known for piece in pieces)


@given(framed, names, tokens, st.sampled_from(["=", ": ", " = ", ":"]))
def test_named_values_in_text_never_come_out(frame, name, secret, separator):
    assert not comes_out(
        f"{frame[0]}\n{name}{separator}{secret}\n{frame[1]}", secret, beside="".join((*frame, name))
    )


@given(names, phrases)
def test_named_values_in_json_never_come_out(name, secret):
    document = {"a": [1, {name: secret}], "b": "ordinary"}
    for text in (json.dumps(document), json.dumps(document, indent=2), f"answer: {json.dumps(document)} end"):
        masked = STRICT.text(text)
        assert not leaks(masked, json.dumps(secret)[1:-1], beside=json.dumps(name))


@given(names, phrases)
def test_named_values_in_yaml_never_come_out(name, secret):
    text = yaml.safe_dump({"spec": {name: secret, "replicas": 3}}, width=10_000, allow_unicode=True)
    masked = STRICT.text(text)
    assert not leaks(masked, secret, beside=f"{name} replicas")
    assert "replicas: 3" in masked


@given(names, st.lists(tokens, min_size=1, max_size=4))
def test_yaml_blocks_never_come_out(name, lines):
    block = "\n".join(f"    {line}" for line in lines)
    masked = STRICT.text(f"data:\n  {name}: |\n{block}\n  other: fine\n")
    assert not any(line in masked for line in lines)
    assert masked.endswith("  other: fine\n")


@given(names, tokens)
def test_environment_lists_never_come_out(name, secret):
    variables: list[JsonValue] = [{"name": "PORT", "value": "8080"}, {"name": name, "value": secret}]
    assert secret not in json.dumps(STRICT.value({"env": variables}))
    assert not comes_out(json.dumps({"env": variables}), secret)
    assert not comes_out(yaml.safe_dump({"env": variables}, sort_keys=False), secret)


@given(names, tokens)
def test_flags_never_come_out(name, secret):
    flag = name.replace(".", "-").replace("_", "-").lower()
    assert not comes_out(f"serve --{flag} {secret} --port 80", secret)
    assert not comes_out(f"serve --{flag}={secret} --port 80", secret)
    assert secret not in json.dumps(STRICT.value({"args": [f"--{flag}", secret, "--port"]}))


@given(st.sampled_from(["postgres", "mysql", "redis", "amqp", "https", "mongodb+srv"]), tokens)
def test_passwords_in_urls_never_come_out(scheme, secret):
    password = quote(secret, safe="")
    assert not comes_out(f"{scheme}://app:{password}@db.shop:5432/x?a=b", password, beside=scheme)


@given(st.binary(min_size=40, max_size=200), words)
def test_pem_keys_never_come_out(raw, after):
    body = base64.encodebytes(raw).decode().strip()
    pem = f"-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----"
    lines = body.split("\n")
    for text in (pem, json.dumps({"k": pem}), pem.replace("\n", "\\n"), f"cert {pem}\n{after}"):
        assert not any(line in STRICT.text(text) for line in lines if len(line) > 16)
    spread = json.dumps(STRICT.value({"log": [{"m": line} for line in pem.split("\n")]}))
    assert not any(line in spread for line in lines if len(line) > 16)


@given(st.text(ALPHABET, min_size=32, max_size=32), st.text(ALPHABET, min_size=32, max_size=32), words)
def test_tencent_secret_ids_never_come_out(tail, key, between):
    assert not comes_out(f"{between} AKID{tail} {between}", f"AKID{tail}", beside=between)
    assert not comes_out(f"SecretId: AKID{tail}\nSecretKey: {key}", key)


@given(
    st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True),
    st.sampled_from(["", "手机：", "tel ", "+86 ", "mobile="]),
)
def test_mobile_numbers_never_come_out(number, before):
    assert number not in STRICT.text(f"{before}{number}，请回电")


@given(
    st.from_regex(
        r"[1-9][0-9]{5}(19|20)[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|1[0-9]|2[0-8])[0-9]{3}", fullmatch=True
    )
)
def test_id_cards_never_come_out_and_their_look_alikes_do(seventeen):
    cards = [f"{seventeen}{check}" for check in "0123456789X"]
    (real,) = (card for card in cards if is_id_card(card))
    assert real not in STRICT.text(f"身份证{real}。")
    (fake, *_) = (card for card in cards if not is_id_card(card) and not is_bank_card(card))
    assert STRICT.text(f"order {fake}") == f"order {fake}"


@given(st.from_regex(r"62[0-9]{13,16}", fullmatch=True))
def test_bank_cards_never_come_out(digits):
    real = next(f"{digits}{check}" for check in range(10) if is_bank_card(f"{digits}{check}"))
    assert real not in STRICT.text(f"卡号 {real}")


hexadecimal = st.text("0123456789abcdef", min_size=16, max_size=64)
ordinary = st.one_of(
    hexadecimal,
    st.uuids().map(str),
    st.datetimes().map(lambda at: at.isoformat()),
    st.ip_addresses().map(str),
    st.integers(1_500_000_000_000, 2_000_000_000_000).map(str),  # milliseconds
    st.integers(1_500_000_000_000_000_000, 2_000_000_000_000_000_000).map(str),  # nanoseconds
    st.from_regex(r"202[0-9](0[1-9]|1[0-2])(0[1-9]|1[0-9]|2[0-8])[0-9]{12}", fullmatch=True),  # order numbers
    st.from_regex(r"[a-z]{3,10}-[bcdf0-9]{8,10}-[bcdf0-9]{5}", fullmatch=True),  # pods
    st.from_regex(r"(cls|ins|np|lb)-[a-z0-9]{8}", fullmatch=True),
    st.integers(0, 9_999_999_999).map(str),
    st.floats(0, 1e9).map(str),
    st.text("订单支付服务超时重试失败告警恢复", max_size=20),
)


@given(st.lists(ordinary, min_size=1, max_size=8), st.sampled_from([" ", " | ", ", ", "\n", " id="]))
def test_identifiers_times_and_numbers_are_unharmed(parts, separator):
    text = separator.join(parts)
    assume("::" not in text)
    assume(not re.search(r"1[3-9]\d \d{4} \d{4}", text))  # written like a telephone number, and taken for one
    assert STRICT.text(text) == text


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(10**9), 10**9) | ordinary,
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(["pod", "node", "count", "at", "items", "ready"]), inner, max_size=4
            )
        ),
        max_leaves=20,
    )
)
def test_ordinary_structure_is_unharmed(value):
    assert STRICT.value(value) == value


@given(st.text(max_size=300))
def test_any_text_is_masked_without_failing_and_stays_masked(text):
    once = STRICT.text(text)
    assert STRICT.text(once) == once
