"""An SFTP server of our own in this process, confined to one folder."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncssh

__all__ = ["PASSWORD", "USER", "sftp_server"]

USER, PASSWORD = "test", "testtest"  # what it lets in
PATIENCE = 10.0


class _PasswordServer(asyncssh.SSHServer):
    def begin_auth(self, username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == (USER, PASSWORD)


@contextmanager
def sftp_server(folder: Path) -> Iterator[int]:
    """Yield the port on which it listens."""
    loop, ports, is_up = asyncio.new_event_loop(), [0], threading.Event()
    stop = asyncio.Event()

    async def serve() -> None:
        listener = await asyncssh.create_server(
            _PasswordServer,
            "127.0.0.1",
            0,
            server_host_keys=[asyncssh.generate_private_key("ssh-ed25519")],
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
        yield ports[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(PATIENCE)
