"""The platform client against the real service, called and awaited."""

import asyncio
import threading

import pytest

from kameng_escrow.domain.states import Outcome
from kameng_escrow.platform import AsyncPlatformClient, PlatformClient, ServiceProblem, StreamEvent

from .conftest import Service
from .test_stream import serving


def secret_of(service: Service) -> str:
    headers = service.with_key(service.world.platform, "orders:read", "webhooks").headers
    return str(headers["Authorization"]).removeprefix("Bearer ")


def test_a_platform_reads_its_orders(service: Service) -> None:
    with serving(service) as url, PlatformClient(url, api_key=secret_of(service)) as client:
        assert client.about()["contract"] == service.world.address
        listed = [order["order_id"] for order in client.orders(limit=4)]
        assert len(listed) == len(set(listed)) == 17
        ruled = client.read_order(service.id_of(service.orders[Outcome.Ruled]))
        assert (ruled["outcome"], ruled["roles"]) == ("Ruled", ["platform"])
        with pytest.raises(ServiceProblem) as refused:
            client.read_order("0x" + "00" * 32)
        assert (refused.value.status, refused.value.code) == (404, "unknown_order")
        with pytest.raises(ServiceProblem) as forbidden:
            client.list_api_keys()
        assert forbidden.value.code == "forbidden"


def test_a_platform_hears_what_happens(service: Service) -> None:
    with serving(service) as url, PlatformClient(url, api_key=secret_of(service)) as client:
        heard: list[StreamEvent] = []
        ready = threading.Event()

        def listen() -> None:
            last = str(service.client.app.state.live.position)  # type: ignore[attr-defined]
            ready.set()
            for event in client.events(last_event_id=last):
                heard.append(event)
                return

        thread = threading.Thread(target=listen)
        thread.start()
        ready.wait(30)
        terms = service.world.opened()
        service.mirror()
        thread.join(60)
    assert [event.data["order_id"] for event in heard] == [service.id_of(terms)]


def test_the_same_awaited(service: Service) -> None:
    with serving(service) as url:
        asyncio.run(_awaited(service, url))


async def _awaited(service: Service, url: str) -> None:
    async with AsyncPlatformClient(url, api_key=secret_of(service)) as client:
        assert (await client.about())["contract"] == service.world.address
        assert len([order async for order in client.orders(limit=5)]) == 17
        with pytest.raises(ServiceProblem, match="no order"):
            await client.read_order("0x" + "00" * 32)
        position = service.client.app.state.live.position  # type: ignore[attr-defined]
        terms = service.world.opened()
        service.mirror()
        async for event in client.events(last_event_id=str(position)):
            assert event.data["order_id"] == service.id_of(terms)
            break
