"""A service that is a model: it answers as agreed, or badly, as it is told."""

import base64
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from PIL import Image

__all__ = ["Service", "serving"]


@dataclass
class Service:
    """What the service does, and what it was asked."""

    url: str = ""
    script: list[str] = field(default_factory=list)
    """How the next requests are answered: `ok`, a status, or what is wrong; `ok` at the end. `!` goes on for ever."""
    asked: list[list[str]] = field(default_factory=list)
    """The names of the inputs of each request."""

    def next(self) -> str:
        """Return how a request is answered."""
        if not self.script:
            return "ok"
        return self.script[0].removesuffix("!") if self.script[0].endswith("!") else self.script.pop(0)


def _result(asked: dict[str, Any]) -> Any:  # noqa: ANN401  # JSON
    if asked["name"].startswith("bad"):
        return {"error": "it is bad"}
    with Image.open(io.BytesIO(base64.b64decode(asked["content"], validate=True))) as image:
        label = asked["params"].get("label", "cat")
        return [{"label": label, "box": [0, 0, *image.size], "score": 0.5}]


def _answer(way: str, inputs: list[Any]) -> tuple[int, str, bytes]:
    results = [_result(each) for each in inputs]
    whole = json.dumps({"results": results}).encode()
    match way:
        case "few":
            return 200, "application/json", b'{"results": [1, 2, 3, 4, 5, 6, 7, 8, 9]}'
        case "list":
            return 200, "application/json", b"[]"
        case "html":
            return 200, "text/html", b"<p>Hello</p>"
        case "nan":
            return 200, "application/json", json.dumps({"results": [[float("nan")] for _ in inputs]}).encode()
        case "ok":
            return 200, "application/json", whole
        case status:
            return int(status), "application/json", b"{}"


@contextmanager
def serving() -> Iterator[Service]:
    """Serve on this machine as long as a block takes."""
    service = Service()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            inputs = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["inputs"]
            way = service.next()
            service.asked.append([each["name"] for each in inputs])
            if way == "hang up":
                self.close_connection = True
                return
            status, kind, content = _answer(way, inputs)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            if status == 302:
                self.send_header("Location", "http://169.254.169.254/")
            if status == 429:
                self.send_header("Retry-After", "3")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ANN401  # as the base has it
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401  # as the base has it
            """Say nothing: a client may hang up."""

    server = Server(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    service.url = f"http://127.0.0.1:{server.server_port}/predict?key=secret"
    try:
        yield service
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
