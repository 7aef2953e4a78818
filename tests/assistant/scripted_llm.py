"""An OpenAI-compatible server on loopback that answers as scripted."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "sk-very-secret-0123456789"


def said(content: str | None, *, refusal: str | None = None, finish: str = "stop") -> dict[str, Any]:
    """Return a completion as an endpoint sends it."""
    return {
        "id": "c-1",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [
            {
                "index": 0,
                "finish_reason": finish,
                "message": {"role": "assistant", "content": content, "refusal": refusal},
            }
        ],
    }


@dataclass
class ScriptedEndpoint:
    """An OpenAI-compatible server on loopback that answers as scripted, one after the other."""

    url: str = ""
    answers: list[tuple[int, str]] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)

    def says(self, answer: object) -> None:
        content = answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)
        self.answers.append((200, json.dumps(said(content))))

    def fails(self, status: int, body: str = "") -> None:
        self.answers.append((status, body or json.dumps({"error": {"message": f"wrong key {KEY}"}})))

    def hangs(self) -> None:
        self.answers.append((0, ""))


@contextmanager
def scripted_endpoint() -> Iterator[ScriptedEndpoint]:
    """Serve on a free port until the context ends."""
    script = ScriptedEndpoint()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            script.requests.append(json.loads(body))
            script.keys.append(self.headers.get("Authorization", ""))
            status, text = script.answers.pop(0)
            if not status:
                script.released.wait()
                return
            sent = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    script.url = f"http://127.0.0.1:{server.server_port}/v1"
    yield script
    script.released.set()
    server.shutdown()
    server.server_close()
    thread.join()
