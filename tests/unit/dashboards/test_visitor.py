from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.responses import Response

from alerts.texts import Language
from dashboards.visitor import Palette, Theme, clean_author, remember, remember_author, same_page, visitor_of


def request(query: str = "", cookie: str = "", path: str = "/") -> Request:
    headers = [(b"cookie", cookie.encode("latin-1"))] if cookie else []
    scope = {"type": "http", "method": "GET", "path": path, "query_string": query.encode(), "headers": headers}
    return Request(scope)


def test_chinese_and_light_by_the_machine_unless_chosen() -> None:
    visitor = visitor_of(request())
    assert (visitor.language, visitor.theme, visitor.palette, visitor.author) == (
        Language.ZH, Theme.AUTO, Palette.STANDARD, "",
    )  # fmt: skip


def test_the_address_chooses_before_the_cookie() -> None:
    assert visitor_of(request("lang=en", "jianhu_lang=zh")).language is Language.EN
    assert visitor_of(request("", "jianhu_lang=en; jianhu_theme=dark; jianhu_palette=safe")).theme is Theme.DARK


@pytest.mark.parametrize("wrong", ["fr", "", "en%0d%0ax", "EN"])
def test_what_is_not_known_is_not_chosen(wrong: str) -> None:
    assert visitor_of(request(f"lang={wrong}")).language is Language.ZH


def test_a_choice_in_the_address_is_remembered_and_nothing_else() -> None:
    asked = request("theme=dark&lang=fr", "jianhu_palette=safe")
    response = Response()
    remember(asked, response, visitor_of(asked))
    assert [value for name, value in response.raw_headers if name == b"set-cookie"] == [
        b"jianhu_theme=dark; HttpOnly; Max-Age=31536000; Path=/; SameSite=lax"
    ]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("  张三 ", "张三"),
        ("", ""),
        (" \n\t", ""),
        ("a\r\nset-cookie: x=1", "aset-cookie: x=1"),
        ("x" * 40, "x" * 40),
        ("x" * 41, ""),
    ],
)
def test_a_name_is_printable_and_short(text: str, name: str) -> None:
    assert clean_author(text) == name


@given(st.text(max_size=60))
def test_whatever_name_is_given_no_header_carries_it_raw(text: str) -> None:
    name = clean_author(text)
    response = Response()
    remember_author(response, name.encode("utf-8", "replace").decode())
    (cookie,) = (value for key, value in response.raw_headers if key == b"set-cookie")
    assert not set(cookie) & set(b"\r\n\0")


def test_a_name_comes_back_from_its_cookie() -> None:
    response = Response()
    remember_author(response, '李四; "x"=<b>')
    cookie = response.headers["set-cookie"].split(";")[0]
    assert visitor_of(request("", cookie)).author == '李四; "x"=<b>'


def test_the_same_page_under_another_choice_keeps_the_rest() -> None:
    asked = request("w=8h&lang=en&from=2026-11-20", path="/stations/A")
    assert same_page(asked, lang="zh") == "/stations/A?w=8h&from=2026-11-20&lang=zh"
    assert same_page(asked, lang="", w="", **{"from": ""}) == "/stations/A"
