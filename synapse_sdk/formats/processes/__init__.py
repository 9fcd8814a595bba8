"""Converting one dataset by several processes, so that it comes out as one process would write it.

Each of them goes through the whole dataset, but reads and writes only its portion of the items, into the same folder.
The others send back what their logs were told and how much went through, and the first process takes that down in the
order of the items. Items whose files could get the same name go to the same process, in their order.
"""

from synapse_sdk.formats.processes.sharing import SharedFlow

__all__ = ["SharedFlow"]
