"""When people buy and sleep, and what breaks when: the weather of the market, the same for everybody."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from .draws import Draws
from .parameters import SECONDS_OF_A_DAY, Outage, Parameters

HOUR = 3_600
_MONTH = 30 * SECONDS_OF_A_DAY
_THURSDAY = 3  # the weekday of the Unix epoch, Monday being 0


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A time during which something is the case. Unix seconds."""

    since: int
    until: int  # the first second after it


class Spans:
    """Times during which something is the case, none touching another."""

    def __init__(self, spans: Sequence[Span]) -> None:
        merged: list[Span] = []
        for span in sorted(spans):
            if merged and span.since <= merged[-1].until:
                merged[-1] = Span(merged[-1].since, max(span.until, merged[-1].until))
            else:
                merged.append(span)
        self.spans = tuple(merged)
        self._starts = [span.since for span in merged]

    def at(self, moment: int) -> Span | None:
        """The one that a Unix second lies in."""
        place = bisect_right(self._starts, moment) - 1
        return self.spans[place] if place >= 0 and moment < self.spans[place].until else None

    def over(self, moment: int) -> int:
        """The first Unix second from `moment` on at which it is not the case."""
        span = self.at(moment)
        return moment if span is None else span.until


class Weather:
    """Promotions, shocks and troubles of a market, drawn once from its seed."""

    def __init__(self, parameters: Parameters, seed: int) -> None:
        self._parameters = parameters
        self._seed = seed
        self._offset = parameters.market.utc_offset_hours * HOUR
        self.promotions = Spans(self._planned())
        self.shocks = {name: Spans(self._shocks(name)) for name in parameters.categories}
        self.gas_spikes = Spans(self._outages(parameters.trouble.gas_spike, "gas"))
        self.node_trouble = Spans(self._outages(parameters.trouble.node, "node"))
        self._shops: dict[str, Spans] = {}
        self._times, self._cumulated = self._demand()

    # -------------------------------------------------------------------------------------------------------- demand

    def arrival(self, luck: Draws) -> int:
        """When an order is placed, Unix seconds."""
        point = luck.uniform("arrival") * self._cumulated[-1]
        place = min(bisect_right(self._cumulated, point), len(self._times) - 1)
        before = self._cumulated[place - 1] if place else 0.0
        into = (point - before) / (self._cumulated[place] - before)
        return min(self._times[place] + int(into * HOUR), self._parameters.end - 1)

    def category(self, at: int, luck: Draws) -> str:
        """What an order at that time is for."""
        kinds = self._parameters.categories
        return luck.choose([(name, kinds[name].share * self._shock(name, at)) for name in kinds], "category")

    def shortage(self, category: str, at: int) -> float:
        """Times the usual chance that something is out of stock."""
        promotion = self._parameters.promotion.out_of_stock if self.promotions.at(at) else 1.0
        shock = self._parameters.shock.out_of_stock if self.shocks[category].at(at) else 1.0
        return max(promotion, shock)

    def _demand(self) -> tuple[list[int], list[float]]:
        parameters = self._parameters
        times = list(range(parameters.start, parameters.end, HOUR))
        weights = []
        for at in times:
            hour, weekday = self.local_hour(at), ((at + self._offset) // SECONDS_OF_A_DAY + _THURSDAY) % 7
            usual = parameters.rhythm.hours[hour] * parameters.rhythm.weekdays[weekday]
            promotion = parameters.promotion.demand if self.promotions.at(at) else 1.0
            shocks = sum(kind.share * self._shock(name, at) for name, kind in parameters.categories.items())
            length = min(HOUR, parameters.end - at) / HOUR
            weights.append(usual * promotion * shocks * length)
        if not sum(weights):  # a market shorter than its dead hours
            weights = [1.0] * len(times)
        return times, list(accumulate(weights))

    def _shock(self, category: str, at: int) -> float:
        return self._parameters.shock.demand if self.shocks[category].at(at) else 1.0

    # ---------------------------------------------------------------------------------------------------------- sleep

    def local_hour(self, at: int) -> int:
        """The hour of the day on the wall clock, 0 … 23."""
        return (at + self._offset) // HOUR % 24

    def awake(self, at: int) -> int:
        """The first Unix second from `at` on at which people are awake."""
        rhythm = self._parameters.rhythm
        hour = self.local_hour(at)
        if rhythm.awake_from <= hour < rhythm.awake_until:
            return at
        midnight = at - (at + self._offset) % SECONDS_OF_A_DAY
        later = SECONDS_OF_A_DAY if hour >= rhythm.awake_until else 0
        return midnight + later + rhythm.awake_from * HOUR

    # -------------------------------------------------------------------------------------------------------- trouble

    def shop(self, name: str) -> Spans:
        """When the seller of this name has its shop down."""
        if name not in self._shops:
            self._shops[name] = Spans(self._outages(self._parameters.trouble.shop_outage, f"shop {name}"))
        return self._shops[name]

    @property
    def waits_for_gas(self) -> float:
        """The chance that somebody who is in no hurry waits for the end of a spike."""
        return self._parameters.trouble.gas_spike.waits

    def gas_gwei(self, at: int) -> float:
        """The price of a unit of gas."""
        spike = self._parameters.trouble.gas_spike
        return spike.usual_gwei * (spike.factor if self.gas_spikes.at(at) else 1.0)

    def _planned(self) -> list[Span]:
        parameters = self._parameters
        every, length = int(parameters.promotion.every_days * SECONDS_OF_A_DAY), int(parameters.promotion.hours * HOUR)
        first = parameters.start + every // 2  # so that even a short market may have one
        return [Span(at, at + length) for at in range(first, parameters.end, max(every, 1))]

    def _shocks(self, category: str) -> list[Span]:
        shock = self._parameters.shock
        # The rate is the market's: a category has as many as its part of the categories.
        rate = shock.per_30_days / len(self._parameters.categories)
        length = int(shock.hours * HOUR)
        return [Span(at, at + length) for at in self._moments(rate, f"shock {category}")]

    def _outages(self, outage: Outage, about: str) -> list[Span]:
        luck = Draws(self._seed, f"trouble {about}")
        moments = self._moments(outage.per_30_days, about)
        return [Span(at, at + luck.seconds(outage.duration, f"length {n}")) for n, at in enumerate(moments)]

    def _moments(self, per_30_days: float, about: str) -> list[int]:
        """As many moments as the rate makes in the market's time, anywhere in it."""
        luck = Draws(self._seed, f"moments {about}")
        start, length = self._parameters.start, self._parameters.end - self._parameters.start
        count = int(per_30_days * length / _MONTH + luck.uniform("how many"))
        return sorted(start + int(luck.uniform(f"moment {n}") * length) for n in range(count))
