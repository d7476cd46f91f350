"""All detectors of one platform's orders, and the alarms that come of them."""

from collections.abc import Iterable
from typing import Any, Final

import orjson

from .alarms import Alarm, AlarmBook
from .codes import Codes
from .detector import Detector
from .disputers import Disputers
from .failures import Failures
from .mediators import Mediators
from .prices import Prices
from .rings import Rings
from .steps import Step
from .velocity import Velocity

VERSION: Final = 1  # of the state: one of another version is not taken up


class StateUnreadable(ValueError):
    """What was to be taken up is no state of this version. Learning begins anew."""


class Watch:
    """Learns from a platform's orders, step by step, and raises alarms.

    What it says follows from the steps alone: the same ones give the same alarms, whether in one run or with its state
    written down and taken up in between. Orders of other platforms have a watch of their own, so that no platform's
    alarms tell anything of another's orders, and no platform can make another's memory forget.
    """

    def __init__(self) -> None:
        self._detectors: tuple[Detector, ...] = (
            Velocity(),
            Rings(),
            Prices(),
            Disputers(),
            Codes(),
            Mediators(),
            Failures(),
        )
        self._book = AlarmBook()

    def learn(self, step: Step) -> list[Alarm]:
        """The alarms that a step raises or brings up to date. Steps come in the chain's order, each once."""
        return [self._book.take(finding) for detector in self._detectors for finding in detector.learn(step)]

    def learn_all(self, steps: Iterable[Step]) -> dict[str, Alarm]:
        """The alarms of many steps as they stand in the end, by id."""
        return {alarm.id: alarm for step in steps for alarm in self.learn(step)}

    def dump(self) -> bytes:
        """The state as JSON: a few megabytes, however many orders there were."""
        return orjson.dumps(
            {
                "version": VERSION,
                "detectors": {str(one.kind): one.dump() for one in self._detectors},
                "alarms": self._book.dump(),
            }
        )

    @classmethod
    def restore(cls, state: bytes) -> "Watch":
        """Takes up where `dump` left off.

        Raises:
            StateUnreadable: it is none, or of another version.
        """
        watch = cls()
        try:
            document: dict[str, Any] = orjson.loads(state)
            if document["version"] != VERSION:
                raise StateUnreadable(f"the state is of version {document['version']}, and this is version {VERSION}")
            for one in watch._detectors:
                one.load(document["detectors"][str(one.kind)])
            watch._book.load(document["alarms"])
        except StateUnreadable:
            raise
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise StateUnreadable(f"the state can't be read: {error}") from error
        return watch
