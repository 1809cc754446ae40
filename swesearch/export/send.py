"""Send spans to a collector, by OTLP over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

from swesearch.base import UsageError

SECONDS = 30.0
PATH = "/v1/traces"


def send(body: str, endpoint: str, environ: Mapping[str, str]) -> str:
    """Post spans to an endpoint; returns the address. Headers come from OTEL_EXPORTER_OTLP_HEADERS. Raises UsageError where it fails."""
    import requests  # slow to import

    parts = urlsplit(endpoint)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise UsageError(f"--endpoint {endpoint}: say an address as in http://localhost:4318")
    address = endpoint.rstrip("/") + (PATH if parts.path in ("", "/") else "")
    headers = {"Content-Type": "application/json", **_headers(environ.get("OTEL_EXPORTER_OTLP_HEADERS", ""))}
    try:
        answer = requests.post(address, data=body.encode(), headers=headers, timeout=SECONDS, allow_redirects=False)
    except requests.RequestException as error:
        raise UsageError(f"{address} cannot be reached: {type(error).__name__}") from error
    if answer.status_code >= 300:
        raise UsageError(f"{address} did not take the spans: {answer.status_code} {answer.reason}: {answer.text[:200]}")
    return address


def _headers(text: str) -> dict[str, str]:
    """name=value pairs joined by commas, values escaped as in addresses: the OpenTelemetry specification's form."""
    pairs = (pair.partition("=") for pair in text.split(",") if "=" in pair)
    return {name.strip(): unquote(value.strip()) for name, _, value in pairs}
