"""`python -m synapse_sdk.cli` is `synapse`."""

import sys

from synapse_sdk.cli.main import main

sys.exit(main())
