"""FedEx behind mutual TLS; through the proxy, where vendors' SDKs come from, without."""

from __future__ import annotations

import ssl

import httpx
import pytest

from harness.gateways.serving import Mocks, Options

TOKEN = {"grant_type": "client_credentials", "client_id": "id", "client_secret": "secret"}


async def test_callers_show_a_certificate_unless_they_come_through_the_proxy() -> None:
    async with Mocks(Options(names=["fedex"], proxy=True)) as mocks:
        assert mocks.authority is not None
        assert mocks.proxy is not None
        trusting = ssl.create_default_context(cafile=str(mocks.authority.ca_file))
        known = ssl.create_default_context(cafile=str(mocks.authority.ca_file))
        known.load_cert_chain(*mocks.authority.client_files())
        place = mocks.running["fedex"].https_url + "/oauth/token"
        async with httpx.AsyncClient(verify=trusting) as client:
            with pytest.raises(httpx.TransportError):
                await client.post(place, data=TOKEN)
        async with httpx.AsyncClient(verify=known) as client:
            assert (await client.post(place, data=TOKEN)).status_code == 200
        async with httpx.AsyncClient(verify=trusting, proxy=mocks.proxy.url) as client:
            answer = await client.post("https://apis-sandbox.fedex.com/oauth/token", data=TOKEN)
            assert answer.status_code == 200
