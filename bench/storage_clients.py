"""The clients that bench/storage.py compares: what each does with one workload in one store.

Libraries are imported and stores opened before the clock starts; what a command takes to start is in its time. Each of
them runs in an environment that need not have the libraries of the others.
"""
# ruff: noqa: D102  # what the operations do is said once, at Client

import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import batched
from pathlib import Path

from bench.stores import IN_FLIGHT, KEY, PIECE, REGION, SECRET, Bucket, pieces_of

type Found = Iterable[int]
"""The size of every object that a listing has shown."""

WHOLE = 8 << 20
"""Bytes up to which ours is given a file as a whole, as the upload action does."""


class Client:
    """Puts files under their names, lists them, downloads them, and deletes them.

    Args:
        source: A folder whose `images/` has the files.
        store: A folder, or `s3://BUCKET/PREFIX?endpoint=URL`.
        into: The folder for what is downloaded.
    """

    put: Callable[[], None]
    list: Callable[[], Found]
    download: Callable[[], None]
    delete: Callable[[], None]

    def __init__(self, source: Path, store: str, into: Path) -> None:
        self.files = sorted((source / "images").iterdir())
        self.names = [path.name for path in self.files]
        self.source, self.store, self.into = source / "images", store, into
        self.open()

    def open(self) -> None:
        """Import the library and make connections; not timed."""


def each[T](work: Callable[[T], object], items: Iterable[T], threads: int = IN_FLIGHT) -> None:
    """Do some work on each item, in threads."""
    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(work, items):
            pass


def write(path: Path, pieces: Iterator[bytes]) -> None:
    """Write a download."""
    with path.open("wb") as file:
        for piece in pieces:
            file.write(piece)


class Ours(Client):
    """`open_storage`: verified, create-only; durable at the end."""

    def open(self) -> None:
        from synapse_sdk.storage import open_storage  # noqa: PLC0415  # not in the environments of the peers

        self.storage = open_storage(self.store)

    def put(self) -> None:
        def put_one(path: Path) -> None:
            size = path.stat().st_size
            content = path.read_bytes() if size <= WHOLE else pieces_of(path)
            self.storage.put(path.name, content, size=size)

        each(put_one, self.files, self.storage.in_flight)
        self.storage.flush()

    def list(self) -> Found:
        return [info.size for info in self.storage.list()]

    def download(self) -> None:
        each(lambda name: write(self.into / name, self.storage.stream(name)), self.names, self.storage.in_flight)

    def delete(self) -> None:
        self.storage.delete(self.names)


class Obstore(Client):
    """obstore in threads, and nothing else."""

    def open(self) -> None:
        import obstore  # noqa: PLC0415  # as above
        from obstore.store import LocalStore, S3Store  # noqa: PLC0415  # as above

        self.obstore = obstore
        self.opened: LocalStore | S3Store
        if not self.store.startswith("s3://"):
            self.opened = LocalStore(self.store, mkdir=True)
            return
        at = Bucket.of(self.store)
        self.opened = S3Store(at.name, prefix=at.prefix, endpoint=at.endpoint, client_options={"allow_http": True})

    def put(self) -> None:
        def put_one(path: Path) -> None:
            with path.open("rb") as file:
                self.obstore.put(self.opened, path.name, file)

        each(put_one, self.files)

    def list(self) -> Found:
        return [entry["size"] for page in self.obstore.list(self.opened) for entry in page]

    def download(self) -> None:
        def download_one(name: str) -> None:
            pieces = self.obstore.get(self.opened, name).stream(min_chunk_size=PIECE)
            write(self.into / name, map(bytes, pieces))

        each(download_one, self.names)

    def delete(self) -> None:
        self.obstore.delete(self.opened, self.names)


class ObstoreDurable(Obstore):
    """The same, and then a wait until all is on the disk; only its puts are measured."""

    def put(self) -> None:
        super().put()
        os.sync()


class StandardLibrary(Client):
    """What Python itself does with a folder, one file after the other."""

    def put(self) -> None:
        Path(self.store).mkdir()
        for path in self.files:
            shutil.copyfile(path, Path(self.store, path.name))

    def list(self) -> Found:
        with os.scandir(self.store) as entries:
            return [entry.stat().st_size for entry in entries]

    def download(self) -> None:
        for name in self.names:
            shutil.copyfile(Path(self.store, name), self.into / name)

    def delete(self) -> None:
        for name in self.names:
            Path(self.store, name).unlink()


class Boto3(Client):
    """boto3 in threads, as most scripts use it."""

    def open(self) -> None:
        import boto3  # type: ignore[import-untyped]  # noqa: PLC0415  # as above
        from botocore.config import Config  # type: ignore[import-untyped]  # noqa: PLC0415  # as above

        self.at = Bucket.of(self.store)
        self.s3 = boto3.client("s3", endpoint_url=self.at.endpoint, config=Config(max_pool_connections=IN_FLIGHT))

    def key(self, name: str) -> str:
        """Return the key of a file."""
        return f"{self.at.prefix}/{name}"

    def put(self) -> None:
        each(lambda path: self.s3.upload_file(str(path), self.at.name, self.key(path.name)), self.files)

    def list(self) -> Found:
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.at.name, Prefix=self.key(""))
        return [entry["Size"] for page in pages for entry in page.get("Contents", ())]

    def download(self) -> None:
        each(lambda name: self.s3.download_file(self.at.name, self.key(name), str(self.into / name)), self.names)

    def delete(self) -> None:
        for names in batched(self.names, 1000):
            objects = {"Objects": [{"Key": self.key(name)} for name in names], "Quiet": True}
            self.s3.delete_objects(Bucket=self.at.name, Delete=objects)


class S3fs(Client):
    """s3fs, all files in one call."""

    def open(self) -> None:
        import s3fs  # type: ignore[import-not-found]  # noqa: PLC0415  # as above

        at = Bucket.of(self.store)
        login = {"endpoint_url": at.endpoint, "key": KEY, "secret": SECRET, "client_kwargs": {"region_name": REGION}}
        # rclone answers a range of a large object with the checksum of the whole: only what is required is compared.
        config = {"max_pool_connections": IN_FLIGHT, "response_checksum_validation": "when_required"}
        self.fs = s3fs.S3FileSystem(**login, config_kwargs=config, use_listings_cache=False)
        self.folder = f"{at.name}/{at.prefix}"
        self.paths = [f"{self.folder}/{name}" for name in self.names]

    def put(self) -> None:
        self.fs.put([str(path) for path in self.files], self.paths, batch_size=IN_FLIGHT)

    def list(self) -> Found:
        return [entry["size"] for entry in self.fs.find(self.folder, detail=True).values()]

    def download(self) -> None:
        self.fs.get(self.paths, [str(self.into / name) for name in self.names], batch_size=IN_FLIGHT)

    def delete(self) -> None:
        self.fs.rm(self.paths)


class Existing(Client):
    """The existing implementation: `upload` of its storages, and their path objects; one file after the other."""

    def open(self) -> None:
        root = Path(__file__).resolve().parents[1]  # there is a package of its name, too
        sys.path[:] = [place for place in sys.path if Path(place).resolve() != root]
        from synapse_sdk.utils.storage.providers import local, s3  # type: ignore[import-not-found]  # noqa: PLC0415  # as above

        if not self.store.startswith("s3://"):
            self.prefix, self.storage = "", local.LocalStorage({"location": self.store})
            return
        at = Bucket.of(self.store)
        self.prefix = f"{at.prefix}/"
        login = {"access_key": KEY, "secret_key": SECRET, "region_name": REGION}
        self.storage = s3.S3Storage({"bucket_name": at.name, "endpoint_url": at.endpoint, **login})

    def put(self) -> None:
        for path in self.files:
            self.storage.upload(path, self.prefix + path.name)

    def list(self) -> Found:
        return [path.stat().st_size for path in self.storage.get_pathlib(self.prefix).iterdir()]

    def download(self) -> None:
        for name in self.names:
            (self.into / name).write_bytes(self.storage.get_pathlib(self.prefix + name).read_bytes())

    def delete(self) -> None:
        for name in self.names:
            self.storage.get_pathlib(self.prefix + name).unlink()
