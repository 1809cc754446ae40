"""Clients are slow to make, so all tests share one of each and point it at their own server."""

from __future__ import annotations

from collections.abc import Iterator

import anthropic
import openai
import pytest


@pytest.fixture(scope="session")
def claude() -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url="http://127.0.0.1:9", api_key="sk-one", max_retries=0) as made:
        yield made


@pytest.fixture(scope="session")
def chat() -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url="http://127.0.0.1:9", api_key="sk-one", max_retries=0) as made:
        yield made
