"""The command `synapse`. Each command group has a file of its own, which is imported when the command is given."""
