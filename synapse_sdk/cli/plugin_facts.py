"""What can be found out about a plugin without running it: actions, parameters, steps, and what is wrong with them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from synapse_sdk.errors import InvalidParamsError, SynapseError
from synapse_sdk.plugins import BaseAction, RuntimeContext
from synapse_sdk.plugins.discovery import Plugin, find_plugin
from synapse_sdk.plugins.steps import BaseStep

__all__ = ["ActionFacts", "ParameterFacts", "look_at", "parameters", "plugin_folders", "plugins_here"]


@dataclass(frozen=True, kw_only=True)
class ActionFacts:
    """What is known of one action."""

    name: str
    description: str
    schema: Mapping[str, Any] = field(default_factory=dict)
    """JSON Schema of the parameters; empty if it cannot be had."""
    steps: tuple[BaseStep[Any], ...] = ()
    """Its steps, as far as they can be told without parameters."""
    problems: tuple[str, ...] = ()
    """Everything that would keep it from running."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterFacts:
    """One parameter of an action, as its JSON Schema has it."""

    name: str
    kind: str
    is_required: bool
    default: Any
    description: str


def look_at(plugin: Plugin) -> Iterator[ActionFacts]:
    """Load every action of a plugin and yield what there is to know; one that is broken is a finding, too."""
    for name, entry in plugin.actions.items():
        try:
            action = plugin.action_class(name)
        except SynapseError as error:
            yield ActionFacts(name=name, description=entry.description, problems=(_text(error),))
            continue
        problems: list[str] = []
        schema = _schema(action, problems)
        _check_result_model(action, problems)
        steps = _steps(action, problems)
        description = entry.description or action.description
        yield ActionFacts(name=name, description=description, schema=schema, steps=steps, problems=tuple(problems))


def parameters(schema: Mapping[str, Any]) -> Iterator[ParameterFacts]:
    """Yield the parameters that a JSON Schema describes, in their order."""
    required = schema.get("required", ())
    for name, details in schema.get("properties", {}).items():
        yield ParameterFacts(
            name=name,
            kind=_kind(details, schema),
            is_required=name in required,
            default=details.get("default"),
            description=" ".join(str(details.get("description", "")).split()),
        )


def plugin_folders() -> list[str]:
    """Return the folders of the current directory that may be plugins."""
    return sorted(str(manifest.parent) for manifest in Path().glob("*/config.yaml"))


def plugins_here() -> Iterator[Plugin]:
    """Yield the plugins in folders of the current directory; a folder whose `config.yaml` is no manifest is none."""
    for folder in plugin_folders():
        try:
            yield find_plugin(f"./{folder}")
        except SynapseError:
            continue


def _schema(action: type[BaseAction[Any]], problems: list[str]) -> Mapping[str, Any]:
    try:
        return action.params_schema()
    except Exception as error:  # noqa: BLE001  # pydantic raises many kinds, and so may the model's own code
        problems.append(f"parameters: {action.params_model!r} cannot be used as a model: {_text(error)}")
        return {}


def _check_result_model(action: type[BaseAction[Any]], problems: list[str]) -> None:
    if action.result_model is not None:
        from pydantic import TypeAdapter  # noqa: PLC0415  # loaded by now

        try:
            TypeAdapter(action.result_model)
        except Exception as error:  # noqa: BLE001  # as above
            problems.append(f"result: {action.result_model!r} cannot be used as a model: {_text(error)}")


def _steps(action: type[BaseAction[Any]], problems: list[str]) -> tuple[BaseStep[Any], ...]:
    """Return the steps that the action registers; names and weights are checked on the way."""
    params, is_complete = _params(action)
    try:
        steps = tuple(action(params, RuntimeContext()).build_registry())
    except SynapseError as error:
        problems.append(f"steps: {_text(error)}")
        return ()
    except Exception as error:  # noqa: BLE001  # the plugin's own code
        if is_complete:
            problems.append(f"steps: setup_steps raised {type(error).__name__}: {error}")
        return ()  # else it may have looked for a parameter that only a run has
    if not steps and action.execute is BaseAction.execute:
        problems.append("steps: there are none, and execute is not overridden: it has nothing to do")
    return steps


def _params(action: type[BaseAction[Any]]) -> tuple[Any, bool]:
    """Return parameters to make an action with, and whether they are complete: all have defaults."""
    try:
        return action.validate_params({}), True
    except InvalidParamsError:
        construct = getattr(action.params_model, "model_construct", dict)
        return construct(), False
    except Exception:  # noqa: BLE001  # reported with the schema
        return {}, False


def _kind(details: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    if "$ref" in details:
        target = details["$ref"].rpartition("/")[2]
        return _kind(schema.get("$defs", {}).get(target, {}), schema)
    if "enum" in details or "const" in details:
        return " | ".join(str(value) for value in details.get("enum", [details.get("const")]))
    if "anyOf" in details:
        return " | ".join(dict.fromkeys(_kind(each, schema) for each in details["anyOf"]))
    kind = str(details.get("format") or details.get("type", "any"))
    return f"{kind} of {_kind(details['items'], schema)}" if kind == "array" and "items" in details else kind


def _text(error: BaseException) -> str:
    """Return an error as one line."""
    return " ".join(str(error).split()) or type(error).__name__
