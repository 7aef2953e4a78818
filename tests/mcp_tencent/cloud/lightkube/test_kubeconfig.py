"""A kubeconfig is read from memory, believed in nothing but itself, and never repeated."""

import base64
import ssl
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mcp_tencent.cloud.lightkube.kubeconfig import read_kubeconfig
from mcp_tencent.errors import CloudError, InvalidRequest, UnexpectedAnswer

TOKEN = "s3cr3t-t0ken-of-the-cluster"


def config(*, cluster: Any = None, user: Any = None, **changes: Any) -> str:
    whole = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}],
        "clusters": [{"name": "k", "cluster": {"server": "https://10.0.0.1", **(cluster or {})}}],
        "users": [{"name": "u", "user": {"token": TOKEN} if user is None else user}],
    }
    return yaml.safe_dump({**whole, **changes})


def test_server_and_token_are_taken_from_the_current_context():
    access = read_kubeconfig(config())
    assert (access.server, access.token) == ("https://10.0.0.1", TOKEN)


def test_the_token_is_not_in_its_representation():
    assert TOKEN not in repr(read_kubeconfig(config()))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "just text",
        f"a: b: {TOKEN}: [",
        config(contexts=[]),
        config(clusters=[]),
        config(users=[]),
        config(cluster={"certificate-authority-data": "%%%"}),
        config(**{"current-context": "other"}),
        config(users=[{"name": "u", "user": TOKEN}]),
    ],
)
def test_what_is_no_kubeconfig_is_refused_without_repeating_any_of_it(text):
    with pytest.raises(UnexpectedAnswer) as caught:
        read_kubeconfig(text)
    assert TOKEN not in str(caught.getrepr(chain=True, style="short", showlocals=False))
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    "user",
    [{"exec": {"command": "rm", "args": ["-rf", "/"]}}, {"auth-provider": {"name": "x"}, "token": "t"}],
)
def test_a_kubeconfig_never_gets_a_command_run(user):
    with pytest.raises(InvalidRequest, match="command"):
        read_kubeconfig(config(user=user))


def test_a_kubeconfig_cannot_turn_verification_off():
    with pytest.raises(InvalidRequest, match="verified"):
        read_kubeconfig(config(cluster={"insecure-skip-tls-verify": True}))


def test_files_that_it_names_are_not_opened():
    access = read_kubeconfig(
        config(user={"tokenFile": "/etc/hostname", "client-certificate": "/etc/hostname"})
    )
    assert (access.token, access.certificate) == ("", b"")


def test_without_tls_nothing_is_verified_and_with_tls_everything_is():
    assert read_kubeconfig(config(cluster={"server": "http://127.0.0.1:1"})).tls() is False
    context = read_kubeconfig(config()).tls()
    assert isinstance(context, ssl.SSLContext)
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


def test_a_client_certificate_that_cannot_be_used_is_refused_without_repeating_it():
    pem = base64.b64encode(b"-----BEGIN CERTIFICATE-----\nno\n-----END CERTIFICATE-----\n").decode()
    access = read_kubeconfig(config(user={"client-certificate-data": pem, "client-key-data": pem}))
    with pytest.raises(UnexpectedAnswer, match="client certificate"):
        access.tls()


@given(
    st.text(max_size=200)
    | st.recursive(
        st.none() | st.text(max_size=5),
        lambda x: (
            st.lists(x, max_size=3)
            | st.dictionaries(
                st.sampled_from(["clusters", "users", "contexts", "current-context", "name", "user"]),
                x,
                max_size=4,
            )
        ),
    ).map(yaml.safe_dump)
)
def test_any_text_is_a_kubeconfig_or_an_error_of_ours(text):
    try:
        access = read_kubeconfig(text)
    except CloudError:
        return
    assert access.server
