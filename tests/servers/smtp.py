"""A mail server on loopback that says what a test tells it to: refusals, silence, nonsense; and one that delivers.

`OddSmtp` keeps every mail that was ended, whatever it answered: that is what a customer may have got.
"""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.servers.dovecot import Dovecot
from tests.sinks import free_port

Said = bytes | tuple[float, bytes] | None
"""What is answered; after so many seconds; or nothing."""
HANG: None = None
"""Say nothing until the server is closed."""
CLOSE = b""
"""Hang up."""

USUAL: dict[str, Said] = {
    "greeting": b"220 odd.example\r\n",
    "EHLO": b"250-odd.example\r\n250 AUTH PLAIN\r\n",
    "AUTH": b"235 welcome\r\n",
    "MAIL": b"250 go on\r\n",
    "RCPT": b"250 go on\r\n",
    "DATA": b"354 end with a dot\r\n",
    ".": b"250 taken\r\n",
    "QUIT": b"221 bye\r\n",
}


class OddSmtp:
    """Answers each command as told, else as usual.

    Attributes:
        mails: what was ended, in order.
        deliver: gets each, with its recipients, before the server answers it.
        taken: set once one was ended; or, where a command before it is met with silence, once that came.

    Args:
        answers: by command, with `greeting`, and `end` for the end of a mail; bytes, `HANG`, `CLOSE`, or late ones.
    """

    def __init__(self, **answers: Said) -> None:
        told = {("." if name == "end" else name): said for name, said in answers.items()}
        self.answers = USUAL | told
        self.said: list[str] = []
        self.mails: list[bytes] = []
        self.deliver: Callable[[list[str], bytes], None] = lambda _to, _mail: None
        self.taken, self.released = threading.Event(), threading.Event()
        odd = self

        class Talk(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                with suppress(OSError):
                    odd._talk(self)

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads, block_on_close, allow_reuse_address = True, False, True

        self._server = Server(("127.0.0.1", 0), Talk)
        self.port: int = self._server.server_address[1]

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()

    def _talk(self, talk: socketserver.StreamRequestHandler) -> None:
        if not self._answer(talk, "greeting"):
            return
        to: list[str] = []
        while line := talk.rfile.readline(65_536):
            text = line.decode("utf-8", "replace").strip()
            self.said.append(text)
            command = text.split(" ")[0].upper()
            to += [text.partition("<")[2].rstrip(">")] if command == "RCPT" else []
            if not self._answer(talk, command):
                return
            if command == "DATA" and self.answers["DATA"] == USUAL["DATA"]:
                for mail in self._mail(talk):
                    self.deliver(to, mail)
                    self.mails.append(mail)
                    self.taken.set()
                if not self._answer(talk, "."):
                    return

    def _mail(self, talk: socketserver.StreamRequestHandler) -> list[bytes]:
        """The mail, with its dots as they were; nothing if it was not ended."""
        lines = []
        while (line := talk.rfile.readline(65_536)) != b".\r\n":
            if not line:
                return []
            lines.append(line.removeprefix(b"."))
        return [b"".join(lines)]

    def _answer(self, talk: socketserver.StreamRequestHandler, command: str) -> bool:
        said = self.answers.get(command, b"500 what?\r\n")
        if said is None:
            self.taken.set()
            self.released.wait(30)
            return False
        if isinstance(said, tuple):
            self.released.wait(said[0])
            said = said[1]
        if said:
            talk.wfile.write(said)
        return bool(said)


class Delivering:
    """A real SMTP server that puts what it takes into the mailboxes of a Dovecot.

    Args:
        dovecot: where the mailboxes are.
    """

    def __init__(self, dovecot: Dovecot) -> None:
        self._dovecot = dovecot
        self.port = free_port()
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self.on_delivered: Callable[[], None] = lambda: None

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._controller.stop()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Called by aiosmtpd for each mail."""
        content = envelope.content if isinstance(envelope.content, bytes) else (envelope.content or "").encode()
        for to in envelope.rcpt_tos:
            self._dovecot.put(to, b"Return-Path: <x@y.example>\r\n" + content)
        self.on_delivered()
        return "250 delivered"
