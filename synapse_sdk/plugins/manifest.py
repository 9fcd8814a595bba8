"""A plugin's `config.yaml`: what the plugin is and which actions it has."""

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from synapse_sdk.documents import read_document
from synapse_sdk.errors import ManifestError
from synapse_sdk.extensions import near_name

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

__all__ = ["MANIFEST_NAME", "ActionEntry", "Manifest", "Requirements", "read_manifest"]

MANIFEST_NAME = "config.yaml"
NAME_PATTERN = r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$"
SECRET_KEYS = frozenset({"env", "runtime_env"})
"""Keys whose values stay out of errors, because they may be secrets."""

WORDS = {
    "model_type": "must be a mapping",
    "dict_type": "must be a mapping",
    "list_type": "must be a list",
    "string_type": "must be text",
    "string_too_short": "must not be empty",
    "string_pattern_mismatch": "may consist of letters, digits, '_', '-' and '.' only",
}
"""What is wrong, by pydantic's name of the problem."""

DEFAULT_METHODS: "Mapping[str, Method]" = {"inference": "serve", "auto_label": "task"}

type Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
type Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]
type Scalar = str | int | float | bool
type Method = Literal["job", "task", "serve", "restapi"]
type Category = Literal[
    "neural_net",
    "export",
    "upload",
    "smart_tool",
    "post_annotation",
    "pre_annotation",
    "data_validation",
    "custom",
]


class _Strict(BaseModel):
    # Strict: 1.10 must not silently become the version "1.1".
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class ActionEntry(_Strict):
    """One action as the manifest describes it; its code is not loaded."""

    entrypoint: Text
    """Where its code is: `package.module:Attribute` or `package.module.Attribute`, seen from the plugin's folder."""
    name: str | None = None
    """What people call it."""
    description: str = ""
    method: Method | None = None
    """How a server runs it; by default `job`, for `inference` `serve`, for `auto_label` `task`."""
    params_schema: dict[str, Any] | list[Any] | None = None
    """JSON Schema or form of the parameters, for those who do not load the code."""
    input_type: str | None = None
    output_type: str | None = None
    serve_options: dict[str, Any] | None = None


class Requirements(_Strict):
    """What the plugin needs around it, as version ranges such as `>=3.12`."""

    sdk: str | None = None
    python: str | None = None
    cuda: str | None = None


class Manifest(_Strict):
    """What `config.yaml` says."""

    name: Text
    """What people call the plugin."""
    code: Name
    """What commands call it."""
    version: Text = "0.1.0"
    category: Category = "custom"
    description: str = ""
    readme: str = "README.md"
    actions: dict[Name, ActionEntry] = Field(default_factory=dict)

    package_manager: Literal["pip", "uv"] = "pip"
    package_manager_options: list[str] = Field(default_factory=list)
    wheels_dir: str = "wheels"
    dependencies: list[str] = Field(default_factory=list)
    requires: Requirements | None = None
    env: dict[str, Scalar] = Field(default_factory=dict)
    runtime_env: dict[str, Any] = Field(default_factory=dict)

    data_type: str | None = None
    """What the plugin works on, such as `image`; a `neural_net` must say it."""
    tasks: list[str] = Field(default_factory=list)
    supported_data_type: list[str] = Field(default_factory=list)
    supported_annotation_tools: list[str] = Field(default_factory=list)
    annotation_category: str | None = None
    annotation_type: str | None = None
    smart_tool: str | None = None
    variant: str | None = None
    tags: list[str] = Field(default_factory=list)

    def method_of(self, action: str) -> Method:
        """Return how a server runs an action."""
        return self.actions[action].method or DEFAULT_METHODS.get(action, "job")


def read_manifest(path: str | os.PathLike[str]) -> Manifest:
    """Read the manifest of a plugin.

    Args:
        path: The plugin's folder, or its `config.yaml`.

    Raises:
        ManifestError: There is none, it is empty, or it does not fit; every problem is listed with its key.
        InvalidDocumentError: It is not a YAML document, or is built to do harm.

    Example:
        >>> read_manifest("examples/image_report").code
        'image_report'
    """
    path = Path(path)
    if path.name != MANIFEST_NAME:
        path /= MANIFEST_NAME
    try:
        if not path.is_file():
            raise _missing(path)
    except OSError as error:  # a folder nobody may look into, or a name that is too long
        msg = f"Cannot look into plugin folder {str(path.parent)!r}"
        raise ManifestError(msg, why=error.strerror, fix="Name the folder of a plugin") from error
    data = read_document(path)
    if data is None:
        msg = f"Manifest {str(path)!r} is empty"
        fix = "Give it at least name, code and actions; `synapse plugin new` writes one to start from"
        raise ManifestError(msg, fix=fix, path=str(path))
    try:
        manifest = Manifest.model_validate(data)
    except ValidationError as error:
        raise _unfit(path, [*_problems(error), *_contradictions(data)]) from error
    contradictions = _contradictions(data)
    if contradictions:
        raise _unfit(path, contradictions)
    return manifest


def _unfit(path: Path, problems: Sequence[str]) -> ManifestError:
    msg = f"Manifest {str(path)!r} does not fit"
    if len(problems) == 1:
        return ManifestError(msg, why=problems[0], fix="Correct the file", path=str(path))
    lines = [f"{msg}; it has {len(problems)} problems:", *problems]
    return ManifestError("\n  ".join(lines), fix="Correct the file", path=str(path))


def _contradictions(data: object) -> list[str]:
    """Return what is wrong although every key alone is right."""
    if isinstance(data, dict) and data.get("category") == "neural_net" and not data.get("data_type"):
        return ["data_type: missing; a plugin of category 'neural_net' must say what it works on, such as image"]
    return []


def _missing(path: Path) -> ManifestError:
    folder = path.parent
    if not folder.is_dir():
        kind = "a file" if folder.exists() else "not there"
        return ManifestError(f"Plugin folder {str(folder)!r} is {kind}", fix="Name the folder of a plugin")
    msg = f"Folder {str(folder)!r} has no {MANIFEST_NAME}, so it is not a plugin"
    twin = path.with_suffix(".yml")
    if twin.exists():
        return ManifestError(msg, fix=f"Rename its {twin.name} to {MANIFEST_NAME}", path=str(path))
    return ManifestError(msg, fix="Make a plugin with `synapse plugin new NAME`", path=str(path))


def _problems(error: ValidationError) -> list[str]:
    """Return a line a problem: the full key, what is wrong with it, and the way out if it is known."""
    return list(dict.fromkeys(_problem(problem) for problem in error.errors(include_url=False, include_context=False)))


def _problem(problem: "ErrorDetails") -> str:
    loc = [str(part) for part in problem["loc"] if part != "[key]"]
    kind, value = problem["type"], problem["input"]
    if loc and loc[0] in SECRET_KEYS:  # without the value: it may be a secret
        return f"{'.'.join(loc[:2])}: {'must be text, a number, true or false' if loc[1:] else 'must be a mapping'}"
    key = ".".join(loc) or "the whole"
    if kind == "extra_forbidden":
        near = near_name(loc[-1], _fields(loc[:-1]))
        return f"{key}: unknown key" + (f"; did you mean {near!r}?" if near else "")
    if kind == "missing":
        return f"{key}: missing"
    words = WORDS.get(kind) or problem["msg"].replace("Input should be", "must be")
    hint = "; put it in quotes" if kind == "string_type" and isinstance(value, int | float) else ""
    return f"{key}: {words}, found {_shown(value)}{hint}"


def _fields(loc: Sequence[str]) -> Iterable[str]:
    """Return the keys that are known at a place in the manifest."""
    match loc:
        case []:
            return Manifest.model_fields
        case ["requires"]:
            return Requirements.model_fields
        case _:
            return ActionEntry.model_fields


def _shown(value: object) -> str:
    match value:
        case dict():
            return "a mapping"
        case list():
            return "a list"
        case None:
            return "nothing"
        case _:
            return f"{value!r:.80}"
