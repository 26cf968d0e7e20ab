"""The TLS listeners: whom a client can trust, whom a mock with mutual TLS lets in, and where keys are kept."""

from __future__ import annotations

import asyncio
import ssl
import stat
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from harness.gateways.serving import Mocks, Options
from harness.gateways.stripe.gateway import StripeGateway
from harness.gateways.tls import Authority
from harness.gateways.twilio.gateway import TwilioGateway


@pytest.fixture(autouse=True)
def stripe_demands_certificates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(StripeGateway, "mutual_tls", True)


@pytest.fixture
async def mocks() -> AsyncIterator[Mocks]:
    async with Mocks(Options(names=("stripe", "twilio"), tls=True)) as found:
        yield found


@pytest.fixture
def authority(mocks: Mocks) -> Authority:
    assert mocks.authority is not None
    return mocks.authority


@pytest.fixture
def stranger() -> Iterator[Authority]:
    """A CA that is not the mocks' own."""
    found = Authority.make()
    yield found
    found.close()


def trusting(authority: Authority, client: tuple[Path, Path] | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(authority.ca_file))
    if client is not None:
        context.load_cert_chain(*client)
    return context


async def status(url: str, context: ssl.SSLContext) -> int:
    async with httpx.AsyncClient(verify=context, trust_env=False) as client:
        return (await client.get(f"{url}/v1/nothing")).status_code


async def test_a_mock_without_mutual_tls_asks_for_no_certificate(mocks: Mocks, authority: Authority) -> None:
    assert await status(mocks.running["twilio"].https_url, trusting(authority)) == 404


@pytest.mark.parametrize("name", ["localhost", *TwilioGateway.hosts])
async def test_a_mock_proves_that_it_is_each_host_of_its_vendor(mocks: Mocks, authority: Authority, name: str) -> None:
    port = int(mocks.running["twilio"].https_url.rpartition(":")[2])
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusting(authority), server_hostname=name)
    writer.transport.abort()


async def test_a_mock_is_no_other_host(mocks: Mocks, authority: Authority) -> None:
    port = int(mocks.running["twilio"].https_url.rpartition(":")[2])
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        await asyncio.open_connection("127.0.0.1", port, ssl=trusting(authority), server_hostname="example.com")


async def test_a_client_that_trusts_another_ca_does_not_trust_the_mock(mocks: Mocks, stranger: Authority) -> None:
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        await status(mocks.running["twilio"].https_url, trusting(stranger))


async def test_mutual_tls_lets_in_a_certificate_of_the_ca(mocks: Mocks, authority: Authority) -> None:
    context = trusting(authority, authority.client_files())
    assert await status(mocks.running["stripe"].https_url, context) == 404


async def test_mutual_tls_refuses_a_caller_without_a_certificate(mocks: Mocks, authority: Authority) -> None:
    with pytest.raises(httpx.TransportError):
        await status(mocks.running["stripe"].https_url, trusting(authority))
    assert mocks.running["stripe"].app.recorded() == []


async def test_mutual_tls_refuses_a_certificate_of_another_ca(
    mocks: Mocks, authority: Authority, stranger: Authority
) -> None:
    with pytest.raises(httpx.TransportError):
        await status(mocks.running["stripe"].https_url, trusting(authority, stranger.client_files()))
    assert mocks.running["stripe"].app.recorded() == []


async def test_mutual_tls_refuses_the_certificate_of_a_server(mocks: Mocks, authority: Authority) -> None:
    """A certificate is for one purpose (RFC 5280 section 4.2.1.12)."""
    from cryptography.x509.oid import ExtendedKeyUsageOID

    server = authority.issue("twilio", ("localhost",), ExtendedKeyUsageOID.SERVER_AUTH)
    with pytest.raises(httpx.TransportError):
        await status(mocks.running["stripe"].https_url, trusting(authority, server))


async def test_plain_http_needs_no_certificate(mocks: Mocks) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        assert (await client.get(f"{mocks.running['stripe'].url}/v1/nothing")).status_code == 404


async def test_plain_http_and_garbage_on_a_tls_port_do_no_harm(mocks: Mocks, authority: Authority) -> None:
    url = mocks.running["twilio"].https_url
    with pytest.raises(httpx.TransportError):
        async with httpx.AsyncClient(trust_env=False) as client:
            await client.get(url.replace("https:", "http:"))
    for garbage in (b"\x16\x03\x01", b"\x00" * 4096):
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
        writer.write(garbage)
        writer.write_eof()
        await asyncio.wait_for(reader.read(), 5)
        writer.transport.abort()
    assert await status(url, trusting(authority)) == 404


async def test_keys_are_for_their_owner_only_and_go_at_the_end() -> None:
    async with Mocks(Options(names=("stripe", "twilio"), tls=True)) as mocks:
        assert mocks.authority is not None
        folder = mocks.authority.ca_file.parent
        mocks.authority.client_files()
        keys = list(folder.glob("*.key"))
        assert len(keys) == 3
        assert {stat.S_IMODE(key.stat().st_mode) for key in keys} == {0o600}
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert "PRIVATE KEY" not in mocks.authority.ca_file.read_text()
    assert not folder.exists()
