"""Text in, text out: who answers a request, and what is counted, reserved, waited out and remembered on the way."""
