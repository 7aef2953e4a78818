"""Who signed a request: Tencent's published examples, and what happens to them when a byte changes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_tencent.local_cloud.tencent.errors import ApiError
from mcp_tencent.local_cloud.tencent.signature import HttpRequest, verify

SIGNED_AT = datetime.fromtimestamp(1551113065, UTC)
BODY = rb'{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}'

# The documentation of "Signature v3" has been published with these keys and signatures over the years.
PUBLISHED = [
    (
        "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE",
        "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE",
        "content-type;host",
        "72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168",
    ),
    (
        "AKIDz8krbsJ5yKBZQpn74WFkmLPx3*******",
        "Gu5t9xGARNpq86cd98joQYCN3*******",
        "content-type;host",
        "2230eefd229f582d8b1b891af7107b91597240707d778ab3738f756258d7652c",
    ),
    (
        "AKID" + "*" * 32,
        "*" * 32,
        "content-type;host;x-tc-action",
        "10b1a37a7301a02ca19a647ad722d5e43b4b3cff309d421d85b46093f6ab6c4f",
    ),
]
CREDENTIALS = {secret_id: key for secret_id, key, _, _ in PUBLISHED}


def published(secret_id: str, headers: str, signature: str) -> HttpRequest:
    return HttpRequest(
        method="POST",
        path="/",
        query="",
        headers={
            "authorization": f"TC3-HMAC-SHA256 Credential={secret_id}/2019-02-25/cvm/tc3_request, "
            f"SignedHeaders={headers}, Signature={signature}",
            "content-type": "application/json; charset=utf-8",
            "host": "cvm.tencentcloudapi.com",
            "x-tc-action": "DescribeInstances",
            "x-tc-timestamp": "1551113065",
            "x-tc-version": "2017-03-12",
            "x-tc-region": "ap-guangzhou",
        },
        body=BODY,
    )


EXAMPLE = published(PUBLISHED[2][0], PUBLISHED[2][2], PUBLISHED[2][3])


@pytest.mark.parametrize(("secret_id", "key", "headers", "signature"), PUBLISHED)
def test_tencents_published_examples_verify(secret_id, key, headers, signature):
    authorization = verify(published(secret_id, headers, signature), {secret_id: key}, SIGNED_AT)

    assert (authorization.secret_id, authorization.service) == (secret_id, "cvm")


def test_another_key_does_not_verify():
    with pytest.raises(ApiError) as refused:
        verify(EXAMPLE, {PUBLISHED[2][0]: "another"}, SIGNED_AT)

    assert refused.value.code == "AuthFailure.SignatureFailure"


@given(position=st.integers(0, len(BODY) - 1), bit=st.integers(0, 7))
def test_one_flipped_bit_of_the_body_is_refused(position, bit):
    changed = bytearray(BODY)
    changed[position] ^= 1 << bit

    with pytest.raises(ApiError) as refused:
        verify(replace(EXAMPLE, body=bytes(changed)), CREDENTIALS, SIGNED_AT)

    assert refused.value.code == "AuthFailure.SignatureFailure"


@given(
    name=st.sampled_from(["authorization", "content-type", "host", "x-tc-action", "x-tc-timestamp"]),
    position=st.integers(0, 400),
    bit=st.integers(0, 6),
)
def test_one_flipped_bit_of_a_signed_header_is_refused(name, position, bit):
    value = EXAMPLE.headers[name]
    index = position % len(value)
    flipped = value[:index] + chr(ord(value[index]) ^ 1 << bit) + value[index + 1 :]
    if name != "authorization" and flipped.strip().lower() == value.lower():
        return  # the canonical form knows neither case nor outer blanks

    with pytest.raises(ApiError) as refused:
        verify(replace(EXAMPLE, headers={**EXAMPLE.headers, name: flipped}), CREDENTIALS, SIGNED_AT)

    assert refused.value.code.split(".")[0] in {"AuthFailure", "InvalidParameter"}


@pytest.mark.parametrize(
    ("method", "path", "query"), [("GET", "/", ""), ("POST", "/x", ""), ("POST", "/", "a=1")]
)
def test_another_method_path_or_query_is_refused(method, path, query):
    with pytest.raises(ApiError) as refused:
        verify(replace(EXAMPLE, method=method, path=path, query=query), CREDENTIALS, SIGNED_AT)

    assert refused.value.code == "AuthFailure.SignatureFailure"


@pytest.mark.parametrize("skew", [timedelta(seconds=301), timedelta(seconds=-301)])
def test_a_clock_more_than_five_minutes_off_is_refused(skew):
    with pytest.raises(ApiError) as refused:
        verify(EXAMPLE, CREDENTIALS, SIGNED_AT + skew)

    assert refused.value.code == "AuthFailure.SignatureExpire"


@pytest.mark.parametrize("skew", [timedelta(seconds=300), timedelta(seconds=-300)])
def test_a_clock_five_minutes_off_is_accepted(skew):
    assert verify(EXAMPLE, CREDENTIALS, SIGNED_AT + skew).service == "cvm"


def test_an_unknown_secret_id_is_named_as_such():
    with pytest.raises(ApiError) as refused:
        verify(EXAMPLE, {"AKIDother": "key"}, SIGNED_AT)

    assert refused.value.code == "AuthFailure.SecretIdNotFound"


@pytest.mark.parametrize(
    ("header", "value", "code"),
    [
        ("authorization", "", "AuthFailure.InvalidAuthorization"),
        ("authorization", "Basic YTpi", "AuthFailure.InvalidAuthorization"),
        ("x-tc-timestamp", "", "MissingParameter"),
        ("x-tc-timestamp", "soon", "InvalidParameter"),
        ("x-tc-token", "temporary", "AuthFailure.TokenFailure"),
    ],
)
def test_a_broken_header_is_refused_with_its_code(header, value, code):
    with pytest.raises(ApiError) as refused:
        verify(replace(EXAMPLE, headers={**EXAMPLE.headers, header: value}), CREDENTIALS, SIGNED_AT)

    assert refused.value.code == code


@given(st.text(max_size=200))
def test_no_text_in_the_authorization_header_breaks_the_reader(text):
    with pytest.raises(ApiError) as refused:
        verify(replace(EXAMPLE, headers={**EXAMPLE.headers, "authorization": text}), CREDENTIALS, SIGNED_AT)

    assert refused.value.code == "AuthFailure.InvalidAuthorization"
