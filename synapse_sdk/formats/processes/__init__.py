"""Writing one dataset by several processes, so that it comes out as one process would write it.

This process reads. Each of the others has a writer of its own, which writes some of the items into the same folder, and
sends back what its log was told; this process takes that down in the order of the items. Items whose files could get
the same name go to the same process, in their order.
"""

from synapse_sdk.formats.processes.messages import OneProcessError
from synapse_sdk.formats.processes.sharing import SharedWriting

__all__ = ["OneProcessError", "SharedWriting"]
