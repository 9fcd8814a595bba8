"""The commands that bench/storage.py compares with; as bench/storage_clients.py."""
# ruff: noqa: D102  # what the operations do is said once, at Client

import os
import subprocess
import sys

from bench.storage_clients import Client, Found
from bench.stores import IN_FLIGHT, KEY, PEERS, REGION, SECRET, Bucket


class S5cmd(Client):
    """The command s5cmd."""

    def open(self) -> None:
        at = Bucket.of(self.store)
        self.words = ["s5cmd", "--endpoint-url", at.endpoint, "--numworkers", str(IN_FLIGHT)]
        self.place = f"s3://{at.name}/{at.prefix}/"

    def put(self) -> None:
        run(*self.words, "cp", f"{self.source}/*", self.place)

    def list(self) -> Found:
        return [int(line.split()[2]) for line in run(*self.words, "ls", f"{self.place}*")]

    def download(self) -> None:
        run(*self.words, "cp", f"{self.place}*", f"{self.into}/")

    def delete(self) -> None:
        run(*self.words, "rm", f"{self.place}*")


class Rclone(Client):
    """The command rclone."""

    def open(self) -> None:
        workers = ["--transfers", str(IN_FLIGHT), "--checkers", str(IN_FLIGHT)]
        self.words, self.place = ["rclone", "--config", os.devnull, *workers], self.store
        if self.store.startswith("s3://"):
            at = Bucket.of(self.store)
            login = f"access_key_id={KEY},secret_access_key={SECRET},region={REGION}"
            self.place = f":s3,provider=Other,endpoint='{at.endpoint}',{login}:{at.name}/{at.prefix}"

    def put(self) -> None:
        run(*self.words, "copy", str(self.source), self.place)

    def list(self) -> Found:
        return map(int, run(*self.words, "lsf", "-R", "--files-only", "--format", "s", self.place))

    def download(self) -> None:
        run(*self.words, "copy", self.place, str(self.into))

    def delete(self) -> None:
        run(*self.words, "delete", self.place)


def run(program: str, *words: str) -> list[str]:
    """Run a command, and return the lines that it prints."""
    ran = subprocess.run([str(PEERS / program), *words], check=False, capture_output=True, text=True)
    if ran.returncode:
        sys.exit(f"{program} ended with {ran.returncode}: {ran.stderr.strip()[-300:]}")
    return ran.stdout.splitlines()
