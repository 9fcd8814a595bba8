"""Loading the modules of a plugin's folder so that no other plugin sees them.

The folder becomes a package with a private name, `_synapse_plugin_<digest>`; `sys.path` is not touched and
`sys.modules` gains names under that package only. Inside, `import photos.steps` means
`_synapse_plugin_<digest>.photos.steps` if the folder has a `photos`, and the ordinary module otherwise: each module is
executed with an `__import__` of its own. So imports made later, within functions, find the right code, too, and so
does `importlib.import_module`.

What knows modules by the names they have on disk does not find them: `importlib.util.find_spec`, and worker processes
that plugin code starts with the spawn method and hands its own classes (those started by fork find them). Bytecode
without source is loaded as anywhere else, without isolation.
"""

import builtins
import contextlib
import hashlib
import importlib
import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from importlib.machinery import (
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    ModuleSpec,
    SourceFileLoader,
)
from importlib.util import spec_from_file_location
from pathlib import Path
from traceback import walk_tb
from types import CodeType, ModuleType
from typing import Any

from synapse_sdk.errors import PluginLoadError
from synapse_sdk.extensions import one_of

__all__ = ["PluginModules", "load_error", "load_folder"]

PREFIX = "_synapse_plugin_"
SHARED = frozenset({"synapse_sdk"})
"""Names that mean the same everywhere, whatever a plugin's folder holds: there must be one class `BaseAction`."""
SKIPPED_FOLDERS = frozenset({"__pycache__", "node_modules", "site-packages"})
CODE_SUFFIXES = (*SOURCE_SUFFIXES, *EXTENSION_SUFFIXES)


def load_folder(folder: str | os.PathLike[str]) -> "PluginModules":
    """Return access to the modules of a plugin's folder, as its files are now; nothing is imported yet.

    While no Python file of the folder changes, every call gives the same modules. After a change a call gives new
    ones; those that were loaded before stay as they are for whoever uses them. Safe to call from several threads.
    """
    root = Path(folder).resolve()
    files = sorted(_code_files(root))
    digest = hashlib.sha256(repr((str(root), files)).encode("utf-8", "surrogateescape"))
    prefix = PREFIX + digest.hexdigest()[:16]
    with _LOCK:
        if _FINDER not in sys.meta_path:
            sys.meta_path.insert(0, _FINDER)  # before the ordinary one, which would find the same files
        if prefix not in _LOADED:
            _LOADED[prefix] = PluginModules(root, prefix, [parts for parts, *_ in files])
        return _LOADED[prefix]


class PluginModules:
    """The modules of one plugin folder, in one state of its files; made by `load_folder`.

    Args:
        root: The folder, resolved.
        prefix: Private name of the package that the folder is.
        files: Every Python file, as its parts from the folder on.
    """

    def __init__(self, root: Path, prefix: str, files: Sequence[tuple[str, ...]]) -> None:
        self.root = root
        self.prefix = prefix
        self._files = files
        self._own_names = {parts[0].partition(".")[0] for parts in files} - SHARED - {"__init__"}
        # A folder that is itself a package may call itself by its own name.
        self._alias = root.name if (root / "__init__.py").is_file() and root.name not in self._own_names else None
        self._builtins = {**vars(builtins), "__import__": self._import}
        self._importlib = _ImportlibFacade("importlib")
        self._importlib.import_module = self._import_module

    def import_module(self, name: str) -> ModuleType:
        """Import a module by the name it has inside the plugin; other names mean installed modules.

        Raises:
            PluginLoadError: There is no such module, or its code raised; the message says where, the cause is kept.
        """
        try:
            return self._import_module(name)
        except (Exception, SystemExit) as error:
            if isinstance(error, ModuleNotFoundError) and error.name in {name, self._private_name(name)}:
                msg = f"The plugin in {str(self.root)!r} has no module {name!r}"
                raise PluginLoadError(msg, fix=one_of(name, self.module_names()), folder=str(self.root)) from error
            raise load_error(name, error, self.root, self.prefix) from error

    def module_names(self) -> Iterator[str]:
        """Yield the name of every module of the plugin, as the plugin knows it."""
        for *folders, file in self._files:
            stem = file.partition(".")[0]
            name = ".".join(folders if stem == "__init__" else [*folders, stem])
            if name:
                yield name

    def find_spec(self, fullname: str, path: Sequence[str] | None) -> ModuleSpec | None:
        """Return how to load a module with a private name."""
        if fullname == self.prefix:
            return self._root_spec()
        loaders: Any = (
            (ExtensionFileLoader, EXTENSION_SUFFIXES),
            (partial(_SourceLoader, self._builtins), SOURCE_SUFFIXES),
        )
        for entry in path or ():
            spec = FileFinder(entry, *loaders).find_spec(fullname)
            if spec is not None:
                return spec
        return None

    def _root_spec(self) -> ModuleSpec | None:
        init = self.root / "__init__.py"
        if init.is_file():
            loader = _SourceLoader(self._builtins, self.prefix, str(init))
            return spec_from_file_location(
                self.prefix, init, loader=loader, submodule_search_locations=[str(self.root)]
            )
        spec = ModuleSpec(self.prefix, None, is_package=True)
        spec.submodule_search_locations = [str(self.root)]
        return spec

    def _private_name(self, name: str) -> str | None:
        """Return the private name of a module of the plugin, or None for a module of somebody else."""
        first, _, rest = name.partition(".")
        if first in self._own_names:
            return f"{self.prefix}.{name}"
        if first == self._alias:
            return f"{self.prefix}.{rest}" if rest else self.prefix
        return None

    def _import(  # the signature of __import__
        self,
        name: str,
        globals: Mapping[str, object] | None = None,  # noqa: A002  # as above
        locals: Mapping[str, object] | None = None,  # noqa: A002  # as above
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        """Import as the plugin's code means it."""
        # Code written in C imports with an empty list, Python code with a tuple or None; C means installed modules.
        is_from_c = isinstance(fromlist, list) and not fromlist
        private = self._private_name(name) if level == 0 and not is_from_c else None
        if private is None:
            module = builtins.__import__(name, globals, locals, fromlist or (), level)
            return self._importlib if module is importlib and not is_from_c else module
        if fromlist:
            return builtins.__import__(private, globals, locals, fromlist, 0)
        importlib.import_module(private)
        first = self._private_name(name.partition(".")[0])
        return sys.modules[first or private]

    def _import_module(self, name: str, package: str | None = None) -> ModuleType:
        """Stand in for `importlib.import_module`."""
        if name.startswith("."):
            return importlib.import_module(name, self._private_name(package or "") or package)
        return importlib.import_module(self._private_name(name) or name)


def load_error(name: str, error: BaseException, root: Path | None, private: str = "") -> PluginLoadError:
    """Return the error that says where in a plugin's code an import failed.

    Args:
        name: The module that was to be imported.
        error: What was raised.
        root: The folder of the plugin; None takes the place where it was raised, wherever that is.
        private: Private name of the plugin's package, which stays out of the message.
    """
    msg = f"Cannot load plugin module {name!r}"
    where = {} if root is None else {"folder": str(root)}
    missing = error.name if isinstance(error, ModuleNotFoundError) else None
    if missing is not None and (not private or not missing.startswith(private)):
        fix = f"Install the package that has the module {missing!r}, and name it under dependencies in config.yaml"
    else:
        fix = "Correct the plugin's code"
    text = str(error.msg if isinstance(error, SyntaxError) else error).replace(f"{private}.", "")
    why = ": ".join(part for part in (type(error).__name__, text) if part)
    file, line = _origin(error, root)
    if file is None:
        return PluginLoadError(msg, why=why, fix=fix, **where)
    shown = file if root is None else os.path.relpath(file, root)
    return PluginLoadError(msg, why=f"{shown}, line {line}: {why}", fix=fix, **where, file=file, line=line)


def _origin(error: BaseException, root: Path | None) -> tuple[str | None, int | None]:
    """Return the last file and line of the plugin's code that an exception came through."""
    places = [(frame.f_code.co_filename, line) for frame, line in walk_tb(error.__traceback__)]
    if isinstance(error, SyntaxError) and error.filename:
        places.append((error.filename, error.lineno or 1))
    for file, line in reversed(places):
        if Path(file).is_absolute() and (root is None or Path(file).is_relative_to(root)):
            return file, line
    return None, None


class _ImportlibFacade(ModuleType):
    """What plugin code sees as `importlib`: the module itself, but for `import_module`."""

    import_module: Callable[..., ModuleType]

    def __getattr__(self, name: str) -> object:
        return getattr(importlib, name)


class _SourceLoader(SourceFileLoader):
    """Executes a module with the plugin's own `__import__`.

    It neither reads nor writes `__pycache__`: a plugin's folder stays as it is, and a file that was edited twice within
    one second is still noticed.
    """

    def __init__(self, plugin_builtins: dict[str, object], fullname: str, path: str) -> None:
        super().__init__(fullname, path)
        self._builtins = plugin_builtins

    def exec_module(self, module: ModuleType) -> None:
        vars(module)["__builtins__"] = self._builtins
        super().exec_module(module)

    def get_code(self, fullname: str) -> CodeType | None:
        path = self.get_filename(fullname)
        try:
            return self.source_to_code(self.get_data(path), path)
        except SyntaxError as error:
            if error.filename is None:  # a file with NUL bytes
                error.filename, error.lineno = path, 1
            raise


class _Finder:
    """Finds modules with private names, and no others."""

    @staticmethod
    def find_spec(
        fullname: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,  # noqa: ARG004  # finders have it
    ) -> ModuleSpec | None:
        modules = _LOADED.get(fullname.partition(".")[0])
        return None if modules is None else modules.find_spec(fullname, path)


_FINDER = _Finder()
_LOADED: dict[str, PluginModules] = {}
"""By private name. Entries stay, because code that was loaded may import at any time."""
_LOCK = threading.Lock()


def _code_files(root: Path) -> Iterator[tuple[tuple[str, ...], int, int]]:
    """Yield the parts of every Python file below a folder, with its time of change and size."""
    seen = set()
    for folder, subfolders, names in root.walk(follow_symlinks=True):
        here = folder.stat()
        is_known = (here.st_dev, here.st_ino) in seen  # through a link that leads up
        seen.add((here.st_dev, here.st_ino))
        if is_known or "pyvenv.cfg" in names:
            subfolders.clear()
            continue
        subfolders[:] = [name for name in subfolders if not name.startswith(".") and name not in SKIPPED_FOLDERS]
        for file in (folder / name for name in names if name.endswith(CODE_SUFFIXES)):
            with contextlib.suppress(OSError):  # gone since, or a link to nowhere
                state = file.stat()
                yield file.relative_to(root).parts, state.st_mtime_ns, state.st_size
