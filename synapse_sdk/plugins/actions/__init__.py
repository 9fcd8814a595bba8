"""The built-in actions. This package is a plugin of its own: `synapse run synapse_sdk.plugins.actions upload ...`."""
