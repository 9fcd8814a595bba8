"""Multi-step data jobs with honest progress and automatic rollback.

Importing this package loads nothing else; start at `synapse_sdk.plugins` (running actions)
or `synapse_sdk.plugins.steps` (the step engine, standard library only).
"""

__all__ = ["__version__"]

__version__ = "0.1.0"
