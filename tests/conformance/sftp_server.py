"""An SFTP server of our own in this process, confined to one folder."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncssh

__all__ = ["PASSWORD", "USER", "SftpServer", "sftp_server"]

USER, PASSWORD = "test", "testtest"  # what it lets in
PATIENCE = 10.0


@dataclass(frozen=True, slots=True)
class SftpServer:
    """A server that listens on a port of this machine."""

    port: int
    known_host: str
    """What `~/.ssh/known_hosts` has of it, as a line."""

    @property
    def url(self) -> str:
        """Where its folder is, for the user that it lets in."""
        return f"sftp://{USER}@127.0.0.1:{self.port}"


class _PasswordServer(asyncssh.SSHServer):
    def begin_auth(self, username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == (USER, PASSWORD)


@contextmanager
def sftp_server(folder: Path) -> Iterator[SftpServer]:
    """Yield a server."""
    loop, ports, is_up = asyncio.new_event_loop(), [0], threading.Event()
    stop, key = asyncio.Event(), asyncssh.generate_private_key("ssh-ed25519")

    async def serve() -> None:
        listener = await asyncssh.create_server(
            _PasswordServer,
            "127.0.0.1",
            0,
            server_host_keys=[key],
            sftp_factory=lambda channel: asyncssh.SFTPServer(channel, chroot=bytes(folder)),
            allow_scp=False,
        )
        ports[0] = listener.get_port()
        is_up.set()
        await stop.wait()
        listener.close()
        await listener.wait_closed()

    def run() -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(serve())

    thread = threading.Thread(target=run, name="sftp-server", daemon=True)
    thread.start()
    try:
        assert is_up.wait(PATIENCE), "the SFTP server does not come up"
        public = key.export_public_key().decode()
        yield SftpServer(ports[0], f"[127.0.0.1]:{ports[0]} {public}")
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(PATIENCE)
