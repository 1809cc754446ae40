from __future__ import annotations

import signal
import subprocess
import sys

import anthropic


def test_it_can_be_tried_from_a_shell(claude: anthropic.Anthropic) -> None:
    command = [sys.executable, "-m", "swesearch.testing", "--say", "Hello there"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        settings = dict(word.split("=", 1) for word in running.stdout.readline().split()[1:])
        client = claude.with_options(base_url=settings["ANTHROPIC_BASE_URL"], api_key=settings["ANTHROPIC_API_KEY"])
        answer = client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=[{"role": "user", "content": "Hi"}])
        running.send_signal(signal.SIGINT)
        assert running.wait(timeout=5) == 0
    assert answer.content[0].text == "Hello there"  # type: ignore[union-attr]
