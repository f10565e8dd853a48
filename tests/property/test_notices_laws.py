"""Laws of notices: every step is told, waits with a time, or is accounted for; nothing urgent waits."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.cases.deadlines import Calendar
from alerts.notices.digest import gather
from alerts.notices.escalation import begin, rise
from alerts.notices.grouping import Group, Item, look, put
from alerts.notices.inhibition import book_of, inhibited, sources_of
from alerts.notices.matchers import Matcher, Operator, match, parse_matcher
from alerts.notices.policy import Brief, Days, Digest, Escalation, Inhibition, Quiet, Stage, Timing, Whom
from alerts.notices.quiet import hold
from alerts.people import Person, Tier

S = 1000
T = 1_800_000_000_000
NO_DAYS = Calendar(holidays=frozenset(), working=frozenset())
PERSON = Person(
    id="p", name_zh="p", name_en="p", department="d", tier=Tier.TOWNSHIP, addresses={"local": "p"}, language="zh"
)
ACTS = st.lists(
    st.tuples(
        st.sampled_from("abc"), st.sampled_from(["raise", "clear", "look", "mute", "unmute"]), st.integers(0, 90)
    ),
    max_size=40,
)  # fmt: skip
NAMES = st.sampled_from(["x", "y"])
LABELS = st.dictionaries(NAMES, st.sampled_from(["1", "2", ""]), max_size=2)
MATCHERS = st.lists(
    st.builds(Matcher, NAMES, st.sampled_from([Operator.EQUAL, Operator.NOT_EQUAL]), st.sampled_from(["1", "2", ""])),
    min_size=1, max_size=2,
).map(tuple)  # fmt: skip


class _Run:
    """One group, driven by hand: what became of each step."""

    def __init__(self, brief: Brief) -> None:
        self.timing = Timing(group_wait=30 * S, group_interval=60 * S, repeat_interval=600 * S, brief=brief)
        self.group: Group | None = None
        self.now, self.step = T, 0
        self.firing: dict[str, Item] = {}
        self.muted: set[str] = set()
        self.given: set[int] = set()
        self.told: list[int] = []
        self.dropped: list[int] = []
        self.held: set[int] = set()

    def act(self, name: str, what: str, seconds: int) -> None:
        self.now += seconds * S
        self.catch_up()
        match what:
            case "raise" if name not in self.firing:
                self.firing[name] = self._put(name, firing=True, mark=self.step + 1, since=self.now)
            case "clear" if name in self.firing:
                held = self.firing.pop(name)
                self._put(name, firing=False, mark=held.mark, since=held.since)
            case "mute":
                self.muted.add(name)
            case "unmute":
                self.muted.discard(name)
            case _:
                pass

    def _put(self, name: str, *, firing: bool, mark: int, since: int) -> Item:
        self.step += 1
        self.given.add(self.step)
        item = Item(id=name, mark=mark, firing=firing, since=since, labels={}, pending=(self.step,))
        self.group = put(self.group, item, self.timing, self.now)
        return item

    def catch_up(self) -> None:
        for _ in range(200):
            if self.group is None or self.group.next_look > self.now:
                return
            found = look(self.group, self.timing, self.now, lambda item: "m" if item.id in self.muted else None)
            assert found.group is None or found.group.next_look > self.now
            if found.notice is not None:
                self.told += found.notice.steps
                assert not {one.id for one in (*found.notice.firing, *found.notice.resolved)} & self.muted
            self.dropped += [step for item, _ in found.dropped for step in item.pending]
            self.held |= {step for one in found.muted for step in one.item.pending}
            self.group = found.group

    @property
    def waiting(self) -> set[int]:
        return set() if self.group is None else {step for item in self.group.items.values() for step in item.pending}


@settings(max_examples=150, deadline=None)
@given(ACTS, st.sampled_from(Brief))
def test_every_step_is_told_or_waits_or_is_accounted_for_and_none_twice(
    acts: list[tuple[str, str, int]], brief: Brief
) -> None:
    run = _Run(brief)
    for act in acts:
        run.act(*act)
    done = [*run.told, *run.dropped]
    assert len(done) == len(set(done))
    assert set(done) | run.waiting | run.held == run.given
    assert not set(done) & run.waiting


@settings(max_examples=100, deadline=None)
@given(ACTS)
def test_where_brief_events_are_told_nothing_unmuted_is_left_untold(acts: list[tuple[str, str, int]]) -> None:
    run = _Run(Brief.TELL)
    for name, what, seconds in acts:
        run.act(name, "look" if what == "mute" else what, seconds)
    run.act("a", "look", 10_000)
    assert set(run.told) | set(run.dropped) == run.given
    assert run.dropped == []


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from("abcdef"), unique=True, min_size=1), st.randoms(use_true_random=False))
def test_a_first_notice_does_not_depend_on_the_order_of_events(names: list[str], chance: object) -> None:
    timing = Timing(group_wait=30 * S, group_interval=60 * S, repeat_interval=600 * S)
    items = [
        Item(id=name, mark=place, firing=True, since=T, labels={}, pending=(place,)) for place, name in enumerate(names)
    ]
    notices = []
    for _ in range(2):
        group = None
        for item in items:
            group = put(group, item, timing, T)
        assert group is not None
        notices.append(look(group, timing, T + 30 * S, lambda _: None).notice)
        chance.shuffle(items)  # type: ignore[attr-defined]
    assert notices[0] == notices[1]


@settings(max_examples=100, deadline=None)
@given(MATCHERS, MATCHERS, st.lists(LABELS, max_size=4), LABELS)
def test_inhibition_is_what_its_definition_says(
    source: tuple[Matcher, ...], target: tuple[Matcher, ...], others: list[dict[str, str]], labels: dict[str, str]
) -> None:
    rule = Inhibition(id="r", source=source, target=target, equal=("x",))
    book = book_of(found for place, one in enumerate(others) for found in sources_of([rule], str(place), one))
    both = match(source, labels)
    expected = match(target, labels) and any(
        match(source, one) and one.get("x", "") == labels.get("x", "") and not (both and match(target, one))
        for one in others
    )
    assert (inhibited([rule], labels, book) is not None) is expected


@settings(max_examples=100, deadline=None)
@given(
    st.integers(0, 1439), st.integers(0, 1439), st.sampled_from(Days), st.integers(0, 14 * 86_400), st.integers(2, 4)
)
def test_a_hold_ends_after_now_and_nothing_holds_at_its_end(
    start: int, end: int, days: Days, seconds: int, priority: int
) -> None:
    quiet = Quiet(id="q", start=start, end=end, days=days, whom=Whom())
    now = T + seconds * S
    found = hold([quiet], PERSON, priority, now, NO_DAYS)
    assert hold([quiet], PERSON, 1, now, NO_DAYS) is None
    if found is not None:
        assert found.until > now
        assert start == end or hold([quiet], PERSON, priority, found.until, NO_DAYS) is None


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.integers(0, 1439), min_size=1, max_size=3, unique=True),
    st.sampled_from(Days),
    st.integers(0, 14 * 86_400),
)
def test_a_digest_is_always_ahead_and_within_days(at: list[int], days: Days, seconds: int) -> None:
    digest = Digest(id="d", at=tuple(sorted(at)), days=days, whom=Whom())
    now = T + seconds * S
    found = gather([digest], PERSON, 4, now, NO_DAYS)
    assert found is not None
    assert now < found.until <= now + 7 * 86_400 * S
    assert gather([digest], PERSON, 1, now, NO_DAYS) is None


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(1, 60), min_size=1, max_size=4, unique=True),
    st.integers(1, 30) | st.none(),
    st.integers(0, 4),
    st.lists(st.integers(1, 90), max_size=30),
)  # fmt: skip
def test_a_climb_ends_and_tells_at_most_its_stages_and_repeats(
    minutes: list[int], repeat: int | None, times: int, pauses: list[int]
) -> None:
    ladder = Escalation(
        priorities=frozenset({1}), stages=tuple(Stage(after=one * 60 * S, tier=Tier.CITY) for one in sorted(minutes)),
        repeat=None if repeat is None else repeat * 60 * S, times=times, after_end=True,
    )  # fmt: skip
    climb, now, told = begin(ladder, "e", T), T, 0
    assert climb is not None
    for pause in [*pauses, *[10_000] * (len(minutes) + times + 1)]:
        now += pause * 60 * S
        found = rise(climb, ladder, now)
        told += found.tier is not None
        assert found.climb.due_at is None or found.climb.due_at > now
        climb = found.climb
    assert climb.stopped is not None
    assert 1 <= told <= len(minutes) + (times if repeat is not None else 0)


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=40))
def test_any_value_goes_round_as_a_matcher(value: str) -> None:
    matcher = Matcher("site", Operator.EQUAL, value)
    assert parse_matcher(str(matcher)) == matcher
    assert matcher.holds({"site": value})
    assert replace(matcher, operator=Operator.NOT_EQUAL).holds({"site": value + "x"})
