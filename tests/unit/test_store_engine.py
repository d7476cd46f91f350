"""What the databases say of themselves, in our words."""

import psycopg
import pytest
from sqlalchemy import make_url
from sqlalchemy.exc import DBAPIError

from kameng_escrow.store import StoreBusy, StoreFull, StoreUnavailable
from kameng_escrow.store.engine import in_our_words

URL = make_url("postgresql+psycopg://me:secret@db/kameng")
NO_ROOM = 'could not extend file "base/16384/16591": File too large\nHINT:  Check free disk space.'


def _raise(error: psycopg.Error) -> None:
    with in_our_words(URL):
        raise DBAPIError("INSERT …", None, error)


@pytest.mark.parametrize(
    ("error", "ours"),
    [
        (psycopg.errors.DiskFull("could not write"), StoreFull),
        (psycopg.errors.InternalError_(NO_ROOM), StoreFull),
        (psycopg.errors.LockNotAvailable("lock"), StoreBusy),
        (psycopg.errors.AdminShutdown("terminating connection"), StoreUnavailable),
    ],
)
def test_what_the_server_lacks_has_a_name(error: psycopg.Error, ours: type[Exception]) -> None:
    with pytest.raises(ours) as caught:
        _raise(error)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "error", [psycopg.errors.InternalError_("cache lookup failed"), psycopg.errors.UndefinedTable()]
)
def test_a_mistake_stays_a_mistake(error: psycopg.Error) -> None:
    with pytest.raises(DBAPIError):
        _raise(error)
