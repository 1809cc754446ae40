"""A stand-in for httpbin.org, which the tests of `requests` talk to: containers that grade have no network, and should not need one.

It runs in a network namespace of its own, which holds nothing but itself; the container that runs the tests joins it. It also has
the address that these tests connect to in vain, as long as nobody answers there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import docker
from docker.errors import DockerException
from requests import RequestException

from benchmarks.swebench.inside import executed
from benchmarks.swebench.layers import Archive
from benchmarks.swebench.specs import BUILT, Recipe
from sandbox.base import SandboxUnavailable
from sandbox.owner import labels

RECIPE = Recipe("3.9", (("pip", "setuptools", "wheel"), ("httpbin==0.10.2", "gunicorn==23.0.0")), (), (), BUILT)
NEEDED_BY = ("psf/requests",)
NAMES = ("httpbin.org", "www.httpbin.org", "www.google.co.uk")  # the last is where a redirect leads to
LABEL = "swebench.httpbin"  # of an instance's image: the image of its httpbin
TRUST = "find /testbed /opt -name cacert.pem -exec sh -c 'cat /tmp/authority.pem >> $0' {} \\;"  # or certifi has it
HOME, PYTHON = "opt/httpbin", "/opt/testbed/bin/python"

# A certificate, and an authority that only this image knows, valid for what the tests ask for.
SETUP = f"""\
cd /{HOME}
openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -keyout ca.key -out ca.pem -subj "/CN=a stand-in for httpbin.org"
openssl req -newkey rsa:2048 -nodes -keyout server.key -out server.csr -subj "/CN=httpbin.org"
openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 3650 -out server.pem \\
    -extfile <(echo "subjectAltName={",".join(f"DNS:{name}" for name in NAMES)}")
rm ca.key server.csr
"""
# 10.255.255.1 on the loopback device, with a queue that is full: who connects waits. 0x8916 is SIOCSIFADDR.
TARPIT = """\
import fcntl, socket, struct, time
address = ("10.255.255.1", 80)
asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
fcntl.ioctl(asking, 0x8916, struct.pack("16sHH4s8x", b"lo:1", socket.AF_INET, 0, socket.inet_aton(address[0])))
server = socket.socket()
server.bind(address)
server.listen(0)
waiting = [socket.socket() for _ in range(4)]
for one in waiting:
    one.setblocking(False)
    one.connect_ex(address)
time.sleep(1e9)
"""
START = f"""\
cd /{HOME}
{PYTHON} tarpit.py &
serve="{PYTHON} -m gunicorn --threads 8 --log-level error httpbin:app"
$serve --bind 127.0.0.1:80 &
exec $serve --bind 127.0.0.1:443 --certfile server.pem --keyfile server.key
"""
ANSWERS = "exec 3<>/dev/tcp/127.0.0.1/80 4<>/dev/tcp/127.0.0.1/443"


def add_httpbin(tar: Archive) -> None:
    """What its image holds beside httpbin itself."""
    tar.write(f"{HOME}/tarpit.py", TARPIT)
    tar.write(f"{HOME}/start.sh", START)


@contextmanager
def serving(client: docker.DockerClient, image: str) -> Iterator[tuple[str, str]]:
    """A network mode in which httpbin.org answers, and the authority to be trusted there. Raises SandboxUnavailable."""
    container = client.containers.create(
        image, ["bash", f"/{HOME}/start.sh"], user="root", network_mode="none", extra_hosts=dict.fromkeys(NAMES, "127.0.0.1"),
        cap_add=["NET_ADMIN"], mem_limit="1g", pids_limit=256, labels=labels("httpbin"),
    )  # fmt: skip
    try:
        container.start()
        wait = f"for i in {{1..600}}; do ({ANSWERS}) 2>/dev/null && exec cat /{HOME}/ca.pem; sleep 0.1; done"
        with executed(container, ["bash", "-c", wait], "/") as (chunks, _):
            authority = b"".join(chunks).decode()
        if not authority:
            raise SandboxUnavailable(f"the stand-in for httpbin.org does not answer: {container.logs(tail=5).decode()}")
        yield f"container:{container.id}", authority
    finally:
        with suppress(DockerException, RequestException):
            container.remove(force=True)
