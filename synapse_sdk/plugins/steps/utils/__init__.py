"""Steps that wrap, check or combine other steps."""

from synapse_sdk.plugins.steps.utils.conditional import ConditionalStep
from synapse_sdk.plugins.steps.utils.logging import LoggingStep
from synapse_sdk.plugins.steps.utils.parallel import ParallelSteps
from synapse_sdk.plugins.steps.utils.retry import RetryStep
from synapse_sdk.plugins.steps.utils.timing import TimingStep
from synapse_sdk.plugins.steps.utils.validation import ValidationStep

__all__ = ["ConditionalStep", "LoggingStep", "ParallelSteps", "RetryStep", "TimingStep", "ValidationStep"]
