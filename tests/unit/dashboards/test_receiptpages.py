"""Receipts: the token of a message is all that is asked for, and the one thing that it opens."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from alerts.notices.tables import delivery
from alerts.notify.receipts import new_token
from tests.unit.dashboards.building import House, house, over_limit

HTML = {"accept": "text/html"}


def token_of(home: House) -> str:
    """Return the token of a message that was sent."""
    row = {
        "id": "d1", "notice": "n", "recipient": "p", "department": "d", "channel": "desk", "address": "x",
        "kind": "raised", "priority": 1, "subjects": "{}", "payload": "{}", "synthetic": True, "created_at": 1,
        "due_at": 1, "attempts": 1, "state": "sent", "sent_at": 2, "order_key": 1,
    }  # fmt: skip
    with home.journal.writing() as turn:
        turn.connection.execute(sa.insert(delivery), [row])
    return new_token(home.journal, "d1", 3)


def received_at(home: House) -> int | None:
    with home.journal.reading() as connection:
        found: int | None = connection.execute(sa.select(delivery.c.received_at)).scalar_one()
    return found


def test_opening_the_link_says_nothing_and_pressing_the_button_does(home: House) -> None:
    token, client = token_of(home), home.client()
    assert "我已收到" in client.get(f"/receipts/{token}", headers=HTML).text
    assert received_at(home) is None
    done = client.post(f"/receipts/{token}", headers=HTML)
    assert (done.status_code, "已记录" in done.text) == (200, True)
    assert received_at(home) == home.wall


def test_a_second_receipt_changes_nothing(home: House) -> None:
    token, client = token_of(home), home.client()
    first = client.post(f"/receipts/{token}").json()
    home.wall += 60_000
    assert client.post(f"/receipts/{token}").json() == first == {"state": "taken", "at": home.wall - 60_000}


@pytest.mark.parametrize("token", ["q9", "a" * 24, "%3Cscript%3E", "a" * 200])
def test_a_token_that_is_none_of_ours_is_not_found_and_not_repeated(home: House, token: str) -> None:
    answer = home.client().post(f"/receipts/{token}", headers=HTML)
    assert answer.status_code == 404
    assert token not in answer.text


def test_a_receipt_needs_no_login_and_opens_nothing_else(tmp_path: Path) -> None:
    with house(tmp_path, token="a-token-of-16-letters") as home:
        token, client = token_of(home), home.client()
        assert client.get(f"/receipts/{token}", headers=HTML).status_code == 200
        assert client.post(f"/receipts/{token}").status_code == 200
        assert client.get("/desk").status_code == 401
        assert client.get("/receipts/../desk").status_code == 401


@pytest.mark.parametrize("path", ["/receipts/", "/receipts/a/b", "/receipts/a/b/c"])
def test_what_stands_beside_receipts_tells_a_stranger_nothing(tmp_path: Path, path: str) -> None:
    with house(tmp_path, token="a-token-of-16-letters") as home:
        home.say(*over_limit("A", 1))
        home.tick()
        answer = home.client().get(path, headers=HTML)
        assert answer.status_code == 404
        assert "没有这条通知" in answer.text
        for told in ("open-count", 'id="state"', "A站"):
            assert told not in answer.text
