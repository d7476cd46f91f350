"""Alarms and outlooks."""

from typing import Any

from pydantic import Field

from .common import Address, Hash, View


class AnomalyView(View):
    """What was found out of the ordinary; the same again is the same one, brought up to date."""

    id: str
    kind: str
    severity: str = Field(description="low: when there is time; medium: today; high: now.")
    role: str = Field(description="As what the subject takes part: buyer, seller, mediator, category.")
    who: str = Field(description="The subject: an account; of categories, its name.")
    about: str | None = Field(description="What else tells it apart: a ring's pattern, a mediator's side.")
    with_whom: list[str] = Field(description="Other accounts that take part.")
    since: str = Field(description="When it began, as far as can be told.")
    raised_at: str
    updated_at: str
    findings: int
    orders: list[Hash] = Field(description="Evidence: at most 20, the latest.")
    numbers: dict[str, Any] = Field(description="What was counted and what was to be expected, of the last finding.")
    sentence_en: str
    sentence_zh: str


class AnomaliesView(View):
    """A page of alarms."""

    platform: Address
    learned_to_block: int | None = Field(description="Up to which block events were looked at; null: none were yet.")
    anomalies: list[AnomalyView]
    cursor: str | None = Field(description="For the next page; null: this is the last.")


class ForecastView(View):
    """A day to come."""

    date: str
    expected: float
    within_80: list[int]
    within_95: list[int]
    rate: float = Field(description="The expected part of the day's orders.")
    rate_within_80: list[float]
    rate_within_95: list[float]


class WeekdayView(View):
    """What a weekday is like: its odds against the mean of the week, with their 95 % interval."""

    weekday: int = Field(description="0: Monday.")
    factor: float
    low: float
    high: float
    stands_out: bool


class ChangeView(View):
    """From when on the rate was another."""

    date: str
    earliest: str = Field(description="From here to `latest` it may have been, at about 95 %.")
    latest: str
    before: float
    after: float
    orders_before: int
    orders_after: int
    strength: float = Field(description="Twice the log-likelihood that the change is worth, beyond the penalty.")


class CoverageView(View):
    """How many forecasts that came to their day lay within the interval."""

    stated: float
    forecasts: int
    within: float | None
    mean_width: float | None


class OutlookView(View):
    """A series of days and its outlook."""

    by: str
    name: str
    measure: str
    clock: str
    made_at: str
    since: str = Field(description="The first day, that of `orders[0]` and `counts[0]`.")
    until: str
    orders: list[int] = Field(description="That ended, day by day.")
    counts: list[int] = Field(description="Of these, what is measured.")
    forecast: list[ForecastView]
    weekdays: list[WeekdayView]
    changes: list[ChangeView]
    coverage: list[CoverageView] = Field(description="Of counts.")
    rate_coverage: list[CoverageView] = Field(description="Of rates, given how many orders there were.")
    mean_error: float | None = Field(description="Of the expected count, one to seven days ahead.")
    mean_error_of_a_week_before: float | None = Field(description="Had each day been taken to be as a week before.")
    too_few: bool = Field(description="For a forecast.")
    few: bool = Field(description="So that intervals are wide.")
    remarks_en: list[str]
    remarks_zh: list[str]


class OutlooksView(View):
    """Outlooks of a platform's orders."""

    platform: Address
    outlooks: list[OutlookView]
