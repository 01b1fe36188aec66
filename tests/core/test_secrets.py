"""The masker: no secret in any spelling, and no text spoilt by what is none."""

from __future__ import annotations

import base64
import html
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from aura_core.config import ConfigService
from aura_core.ground.secrets import ANYWHERE, MARK, Secrets, held, is_maskable, names_secret, secrets_in

SECRETS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=8, max_size=40).map(str.strip)
AROUND = st.text(alphabet="abc \n.:/", max_size=20)
SPELLINGS = {
    "raw": str,
    "in JSON": json.dumps,
    "in JSON, its letters as they are": lambda text: json.dumps(text, ensure_ascii=False),
    "in JSON in JSON": lambda text: json.dumps(json.dumps({"key": text})),
    "quoted": repr,
    "quoted in JSON": lambda text: json.dumps({"said": repr(text)}),
    "in a path": quote,
    "in a query": quote_plus,
    "all in an address": lambda text: quote(text, safe=""),
    "in an address, small": lambda text: "".join(f"%{byte:02x}" if byte > 127 else chr(byte) for byte in text.encode()),
    "in HTML": html.escape,
}


def masker(*secrets: str) -> Secrets:
    made = Secrets()
    made.hold(secrets)
    return made


@pytest.mark.parametrize("spelling", SPELLINGS)
@given(secret=SECRETS, before=AROUND, after=AROUND)
def test_a_secret_is_masked_in_every_spelling(spelling, secret, before, after):
    assume(
        is_maskable(secret) and len(secret) >= ANYWHERE and "%" not in secret
    )  # shorter ones only where they stand alone
    spelled = SPELLINGS[spelling](secret)
    text = masker(secret).mask(f"{before}{spelled}{after}")
    assert MARK in text
    assert secret not in text or secret in MARK
    assert spelled not in text


@given(user=st.text(alphabet="abcdef", min_size=1, max_size=9), secret=st.text(alphabet="xyz0123456789", min_size=12))
def test_a_secret_is_masked_inside_base64_wherever_it_begins(user, secret):
    assume(is_maskable(secret))
    header = base64.b64encode(f"{user}:{secret}".encode()).decode()
    masked = masker(secret).mask(f"Authorization: Basic {header}")
    assert MARK in masked
    assert base64.b64encode(secret.encode()).decode()[4:12] not in masked


@given(
    secret=SECRETS, value=st.recursive(AROUND | st.integers() | st.none(), lambda inner: st.lists(inner, max_size=3))
)
def test_values_without_secrets_are_what_they_were(secret, value):
    assume(is_maskable(secret) and secret not in json.dumps(value))
    made = masker(secret)
    assert made.masked({"a": value, "b": [secret]}) == {"a": value, "b": [MARK]}


def test_a_value_without_end_is_left_to_who_can_say_what_is_wrong_with_it():
    circle: list[object] = ["tok-1234567"]
    circle.append(circle)
    assert masker("tok-1234567").masked(circle) is circle


@pytest.mark.parametrize("white", [" {}", "{}\n", "\t{}\r\n"])
def test_white_space_at_the_ends_is_no_part_of_a_secret(white):
    made = masker(white.format("tok-1234567"))
    assert made.mask("refused: tok-1234567.") == f"refused: {MARK}."


@pytest.mark.parametrize("value", ["", "a", "1", "abc", "   ", "ollama", "none", "EMPTY", "local", "*" * 10])
def test_what_is_too_short_or_a_plain_word_masks_nothing(value):
    text = "a local ollama, none of 1 abc EMPTY **********"
    assert masker(value).mask(text) == text


def test_a_short_secret_is_masked_only_where_it_stands_alone():
    made = masker("4711")
    assert made.mask("pin 4711, id 1471123, 4711.") == f"pin {MARK}, id 1471123, {MARK}."


def test_the_longest_secret_is_masked_first():
    made = masker("tok-1234567", "tok-1234567-and-more")
    assert made.mask("tok-1234567-and-more") == MARK


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        *((name, True) for name in ("token", "OPENAI_API_KEY", "smtp.password", "AWS_SECRET_ACCESS_KEY", "apiKey")),
        *((name, True) for name in ("GITHUB_TOKEN", "PGPASSWORD", "client-secret", "signing_key")),
        *((name, False) for name in ("max_tokens_per_day", "sort_key", "key", "keyboard", "secretary", "PATH", "url")),
    ],
)
def test_a_name_tells_whether_its_value_is_secret(name, secret):
    assert names_secret(name) is secret


def test_secrets_are_found_in_settings_inside_settings_and_in_addresses():
    settings = {
        "smtp": {"password": "pass-word-1", "host": "mail.example"},
        "keys": [{"api_key": "key-number-2"}],
        "credentials": {"name": "user-number-3"},
        "proxy": "http://me:p%40ss-number-4@proxy.example:8080",
        "tokens": 12,
    }
    found = set(secrets_in(settings))
    assert found == {"pass-word-1", "key-number-2", "user-number-3", "p%40ss-number-4", "p@ss-number-4"}


def test_a_plans_settings_are_held_and_stripped():
    service = ConfigService()
    service.set_plan("p", {"door": {"code": " door-code-99\n"}, "title": " as it is "}, secrets=["door.code"])
    assert service.get("door.code", plan="p") == "door-code-99"
    assert service.get("title", plan="p") == " as it is "
    assert held.mask("opened with door-code-99") == f"opened with {MARK}"
