"""Secrets in running text: logs, errors, configuration, command lines (pure, linear time).

Two kinds of finding. By shape: PEM keys, JWTs, access keys with a known prefix, URL passwords, robot
webhooks. By name: whatever follows the name of a secret, as in `password=…`, `"token": "…"`, `--password
…`, YAML blocks. Every pattern begins at a boundary and is bounded or possessive, so that no text takes
more than linear time.
"""

from __future__ import annotations

import base64
import binascii
import re

from mcp_tencent.gateway.redaction.names import is_ordinary_value, names_a_secret

MASK = "[已隐藏]"
KEY_MASK = "[已隐藏:私钥]"

_PEM = re.compile(
    r"-----BEGIN (?:[A-Z0-9]{1,20} ){0,4}PRIVATE KEY(?: BLOCK)?-----"
    r"(?:(?!-----END )[^\x00])*+(?:-----END [A-Z0-9 ]{0,80}-----)?"
)
_SHAPES = re.compile(
    r"(?<![A-Za-z0-9_-])(?:"
    r"eyJ[A-Za-z0-9_-]{6,}+(?:\.[A-Za-z0-9_-]*+){2,4}"  # JWT, JWE
    r"|LS0tLS1CRUdJTi[A-Za-z0-9+/]{20,}+={0,2}"  # a PEM block in base64, as in a kubeconfig
    r"|AKID[A-Za-z0-9]{12,64}+"  # Tencent Cloud SecretId
    r"|(?:AKIA|ASIA)[A-Z0-9]{16}|LTAI[A-Za-z0-9]{12,26}+"  # other clouds
    r"|(?:ghp|gho|ghu|ghs|ghr)_[A-Za-z0-9]{30,}+|github_pat_[A-Za-z0-9_]{40,}+|glpat-[A-Za-z0-9_-]{20,}+"
    r"|sk-[A-Za-z0-9_-]{20,}+|xz_[A-Za-z0-9_-]{40,}+|xox[abprs]-[A-Za-z0-9-]{10,}+|npm_[A-Za-z0-9]{30,}+|SEC[0-9a-f]{60,}+"
    r")(?![A-Za-z0-9_-])"
)
_URL_PASSWORD = re.compile(r"(://[^\s:/@\"'<>]{0,200}+:)([^\s/\"'<>]{1,256})@(?=[A-Za-z0-9\[_])")
_URL_TOKEN = re.compile(r"(://)([A-Za-z0-9_.~%-]{16,200}+)@(?=[A-Za-z0-9\[])")
_URL_PARAMETER = re.compile(
    r"([?&](?:amp;)?(?:sign|signature|sig|key|q-signature|x-amz-signature|x-cos-security-token)=)([^\s&\"'<>#]{8,}+)",
    re.IGNORECASE,
)
_HOOK = re.compile(
    r"(open\.(?:feishu\.cn|larksuite\.com)/open-apis/bot/(?:v2/)?hook/|hooks\.slack\.com/services/)"
    r"([A-Za-z0-9/_-]{8,}+)"
)
_SCHEME = re.compile(r"\b(Bearer|Basic|Token)(\s{1,4})([A-Za-z0-9._~+/=-]{8,}+)", re.IGNORECASE)
_TC3 = re.compile(r"(TC3-HMAC-SHA256\s{1,4}Credential=)[^\s,]{1,200}+(.{0,200}?Signature=)[0-9a-fA-F]{16,}+")
_FLAG = re.compile(
    r"(?<![\w-])(--?)([A-Za-z][A-Za-z0-9_-]{1,60}+)(\s{1,4})(?![\s-])([^\s\"']{1,1000}+|\"[^\"\n]*+\"|'[^'\n]*+')"
)
_CLIENT_PASSWORD = re.compile(
    r"(\b(?:mysql|mysqldump|mysqladmin|sshpass|mariadb)\b[^\n|;]{0,200}?\s-p)([^\s]{1,200}+)"
)
_USER_PASSWORD = re.compile(
    r"(\bcurl\b[^\n|;]{0,300}?\s(?:-u|--user)[ =]?[\"']?[^\s:\"']{0,100}+:)([^\s\"']{1,200}+)"
)
_CHINESE = re.compile(r"((?:密码|口令|密钥|令牌|验证码)\s{0,2}(?:[:：=]|是|为)\s{0,2})([!-~]{4,}+)")
_NAMED = re.compile(
    r"(?<![A-Za-z0-9_.\-])-{0,2}(?P<name>[A-Za-z_][A-Za-z0-9_.\-]{0,99}+)"
    r"(?P<sep>\\{0,8}[\"']?\]?[ \t]{0,8}(?::=|=>|=|:)[ \t]{0,8})"
)
_PAIRED = re.compile(
    r"(?<![A-Za-z0-9_.\-])(?:name|key)\\{0,8}[\"']?\s{0,4}[:=]\s{0,4}\\{0,8}[\"']?"
    r"(?P<name>[A-Za-z_][A-Za-z0-9_.\-]{0,99}+)\\{0,8}[\"']?\s{0,4},?\s{0,40}"
    r"\\{0,8}[\"']?(?:value|val)\\{0,8}[\"']?\s{0,4}[:=][ \t]{0,8}",
    re.IGNORECASE,
)
_OPENING = re.compile(r"(\\{0,8})([\"'`])")
_BARE = re.compile(r"(?:[^\s,;&\"'`]|[,;&](?![\s\"']{0,2}[A-Za-z_][\w.\-]{0,60}+[\"']?\s?[=:])(?!\s|$))++")
_ALONE_ON_ITS_LINE = re.compile(
    r"[\s\-]{0,100}(?:(?:export|set|ENV|env|-e)\s{1,4})?"
    r"[\"']?[A-Za-z_][\w.\-]{0,99}[\"']?[ \t]{0,8}(?::=|=>|=|:)[ \t]{0,8}"
)
_ANOTHER_PAIR = re.compile(r"=[^\s]*+\s{1,4}[A-Za-z_][\w.\-]{0,60}+=")
_BLOCK = re.compile(r"[|>][+-]?\d?[ \t]*(?:#[^\n]*+)?\n")
_TENCENT_ID = re.compile(r"(?<![A-Za-z0-9])AKID[A-Za-z0-9]{12,}")
_TENCENT_KEY = re.compile(
    r"(?<![A-Za-z0-9_/+=.-])(?=[A-Za-z]*[0-9])(?=[^A-Z]*[A-Z])(?=[^a-z]*[a-z])[A-Za-z0-9]{32}(?![A-Za-z0-9_/+=-])"
)
_KEY_RUN = re.compile(r"(?<![A-Za-z0-9+/=])[A-Za-z0-9+/]{16,}+={0,2}")


_TELLTALES = (
    *(
        "pass",
        "pwd",
        "secret",
        "token",
        "key",
        "credential",
        "auth",
        "cookie",
        "jwt",
        "otp",
        "bearer",
        "basic",
    ),
    *(
        "密码",
        "口令",
        "密钥",
        "令牌",
        "验证码",
        "akid",
        "eyj",
        "ls0tls1",
        "akia",
        "asia",
        "ltai",
        "gh",
        "glpat-",
    ),
    *(
        "sk-",
        "xox",
        "npm_",
        "xz_",
        "://",
        "sign",
        "sig=",
        "/hook",
        "hooks.",
        "tc3-",
        "mysql",
        "mariadb",
        "curl",
    ),
)
"""Every finding has one of these in it, in small letters, or the big letters SEC."""


def mask_secrets(text: str) -> str:
    """Return `text` with secrets masked. Masking what is masked already changes nothing."""
    lowered = text.lower()
    if not any(telltale in lowered for telltale in _TELLTALES) and "SEC" not in text:
        return text  # most lines of most logs, and thirty plain searches are cheaper than ten patterns
    if "PRIVATE KEY" in text:
        text = _PEM.sub(KEY_MASK, text)
    if "AKID" in text and _TENCENT_ID.search(text):
        text = _TENCENT_KEY.sub(MASK, text)  # a key without a name, but next to its id
    text = _SHAPES.sub(MASK, text)
    if "://" in text:
        text = _URL_PASSWORD.sub(rf"\1{MASK}@", text)
        text = _URL_TOKEN.sub(rf"\1{MASK}@", text)
    text = _URL_PARAMETER.sub(_mask_parameter, text)
    text = _HOOK.sub(rf"\1{MASK}", text)
    text = _TC3.sub(rf"\1{MASK}\2{MASK}", text)
    text = _SCHEME.sub(_mask_scheme, text)
    text = _FLAG.sub(_mask_flag, text)
    text = _CLIENT_PASSWORD.sub(rf"\1{MASK}", text)
    text = _USER_PASSWORD.sub(rf"\1{MASK}", text)
    text = _CHINESE.sub(rf"\1{MASK}", text)
    return _mask_values(_mask_values(text, _PAIRED), _NAMED)


def opens_a_key(text: str) -> bool:
    """Tell whether a PEM private key begins in `text` and does not end in it."""
    return text.rfind("-----BEGIN ") > text.rfind("-----END ") and "PRIVATE KEY" in text


def mask_key_lines(text: str) -> str:
    """Mask what looks like a line of a key, once its beginning has been seen in an earlier line."""
    return _KEY_RUN.sub(KEY_MASK, text)


def _mask_parameter(found: re.Match[str]) -> str:
    short_key = found[1].lower().endswith("key=") and len(found[2]) < 16
    return found[0] if short_key or found[2].startswith(MASK[:4]) else f"{found[1]}{MASK}"


def _mask_scheme(found: re.Match[str]) -> str:
    credential = found[3]
    if found[1].lower() == "basic":
        return f"{found[1]}{found[2]}{MASK}" if _is_basic(credential) else found[0]
    telling = len(credential) >= 20 or any(c.isdigit() for c in credential)
    return f"{found[1]}{found[2]}{MASK}" if telling else found[0]


def _is_basic(credential: str) -> bool:
    try:
        return b":" in base64.b64decode(credential + "=" * (-len(credential) % 4), validate=True)
    except (binascii.Error, ValueError):
        return False


def _mask_flag(found: re.Match[str]) -> str:
    if not names_a_secret(found[2]) or found[4].startswith(MASK[:4]) or found[4] in {"=", ":", "|", "\\"}:
        return found[0]
    return f"{found[1]}{found[2]}{found[3]}{MASK}"


def _mask_values(text: str, pattern: re.Pattern[str]) -> str:
    """Mask the value behind every match of `pattern` whose `name` is a secret's."""
    kept, position = [], 0
    while (found := pattern.search(text, position)) is not None:
        begin, end = (found.end(), found.end())
        if names_a_secret(found["name"]):
            begin, end = _value_span(text, found)
        kept.append(text[position:begin])
        if end > begin:
            kept.append(MASK)
        position = max(end, found.end())
        if position == found.start():  # cannot happen with these patterns; a loop would be worse than a miss
            break
    kept.append(text[position:])
    return "".join(kept)


def _value_span(text: str, found: re.Match[str]) -> tuple[int, int]:
    """Return where the value behind a name begins and ends; an empty span when there is nothing to mask."""
    begin = found.end()
    if text.startswith(MASK[:4], begin):
        return begin, begin
    quoted = _OPENING.match(text, begin)
    if quoted is not None:
        return _quoted_span(text, quoted)
    block = _BLOCK.match(text, begin)
    if block is not None:
        return _block_span(text, found.start(), block.end())
    if names_a_header(found["name"]):
        line_end = _header_end(text, found.start(), begin)
        return (begin, line_end) if text[begin:line_end].strip() else (begin, begin)
    return _bare_span(text, begin)


def _bare_span(text: str, begin: int) -> tuple[int, int]:
    """Return the span of an unquoted value: all of a line that is one setting, else one word."""
    line_start, line_end = max(text.rfind("\n", 0, begin) + 1, begin - 300), _line_end(text, begin)
    alone = _ALONE_ON_ITS_LINE.fullmatch(text, line_start, begin)
    separator = begin - len(text[line_start:begin]) + len(text[line_start:begin].rstrip()) - 1
    if alone is not None and not _ANOTHER_PAIR.match(text, separator, line_end):
        value = text[begin:line_end].rstrip()
        return (begin, begin) if is_ordinary_value(value) else (begin, begin + len(value))
    bare = _BARE.match(text, begin)
    if bare is None or is_ordinary_value(bare[0].rstrip(".,;:!)]}")):
        return begin, begin
    return bare.span()


def names_a_header(name: str) -> bool:
    """Tell whether the value of this name runs to the end of the line, spaces included."""
    return name.lower().endswith(("authorization", "cookie"))


def _quoted_span(text: str, opening: re.Match[str]) -> tuple[int, int]:
    """Find the closing quote, escaped as deeply as the opening one; without one, the end of the line."""
    backslashes, quote = opening[1], opening[2]
    begin = opening.end()
    position = begin
    while True:
        closing = text.find(quote, position)
        if closing < 0:
            return begin, _line_end(text, begin)
        before = closing
        while before > begin and text[before - 1] == "\\":
            before -= 1
        depth = closing - before
        if (
            quote == "'" and text.startswith("''", closing) and not backslashes
        ):  # YAML's way to write one quote
            position = closing + 2
            continue
        if depth == len(backslashes) or (not backslashes and depth % 2 == 0):
            end = closing - len(backslashes)
            masked = text.startswith(MASK[:4], begin)
            return (begin, begin) if masked or is_ordinary_value(text[begin:end]) else (begin, end)
        position = closing + 1


def _block_span(text: str, name_at: int, begin: int) -> tuple[int, int]:
    """Find the end of a YAML block: the first line that is not indented deeper than its key."""
    line_start = text.rfind("\n", 0, name_at) + 1
    indent = len(text[line_start:name_at]) - len(text[line_start:name_at].lstrip(" "))
    end = begin
    while end < len(text):
        line_end = _line_end(text, end)
        line = text[end:line_end]
        if line.strip() and len(line) - len(line.lstrip(" ")) <= indent:
            break
        end = min(line_end + 1, len(text))
    content = text[begin:end].rstrip("\n")
    first = len(content) - len(content.lstrip(" \n"))
    return begin + first, begin + len(content)


def _header_end(text: str, name_at: int, begin: int) -> int:
    """Find the end of a header's value: the quote opened before its name, else the end of the line."""
    line_end = _line_end(text, begin)
    opened = text[name_at - 1 : name_at]
    closing = text.find(opened, begin, line_end) if opened in {"'", '"'} else -1
    return closing if closing >= 0 else line_end


def _line_end(text: str, start: int) -> int:
    end = text.find("\n", start)
    return len(text) if end < 0 else end
