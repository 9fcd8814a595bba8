"""The upload action with one more step: it looks into the photos before any of them is sent."""

from io import BytesIO

from PIL import Image, UnidentifiedImageError
from pydantic import Field

from synapse_sdk.plugins.actions.upload import BaseUploadAction, UploadContext, UploadParams
from synapse_sdk.plugins.steps import BaseStep, StepRegistry, StepResult

PHOTOS = "images"
"""The file specification whose files are photos."""


class PhotoParams(UploadParams):
    """What may be set: all that an upload takes, and this."""

    min_width: int = Field(default=200, ge=1, description="Photos with fewer pixels side by side are refused.")


class CheckPhotosStep(BaseStep[UploadContext]):
    """Leave out units whose photo is too small, or is none; without `on_error=continue` the upload fails."""

    name = "check_photos"
    progress_weight = 0.10

    def __init__(self, min_width: int) -> None:
        self._min_width = min_width

    def execute(self, context: UploadContext) -> StepResult:
        """Look at every photo; nothing is changed, so there is nothing to undo."""
        refused: dict[str, str] = {}
        units = list(context.organized_files.items())
        for number, (key, files) in enumerate(units, start=1):
            why = self._reason_to_refuse(context, files[PHOTOS]) if PHOTOS in files else None
            if why is not None:
                del context.organized_files[key]
                refused |= dict.fromkeys(files.values(), why)  # labels without their photo are of no use
            context.set_progress(number, len(units))
        context.failed_files |= refused  # so that they are in the result and in the report
        if refused and not context.goes_on:
            path, why = next(iter(refused.items()))
            return StepResult(success=False, error=f"{len(refused)} files cannot be uploaded, such as {path}: {why}")
        return StepResult(data={"refused": len(refused)})

    def _reason_to_refuse(self, context: UploadContext, path: str) -> str | None:
        """Return a code and the reason in words, as the report has them; None for a good photo."""
        source, inside = context.locate(path)  # it may be in a folder, in an archive, or in a bucket
        with source.open(inside) as file:
            content = BytesIO(b"".join(file.pieces()))
        try:
            with Image.open(content) as photo:
                width = photo.width
        except UnidentifiedImageError:
            return "NO_PHOTO: no program can open it"
        if width < self._min_width:
            return f"TOO_SMALL: it is {width} pixels wide, and has to be {self._min_width}"
        return None


class UploadPhotos(BaseUploadAction[PhotoParams]):
    """Upload photos that are worth it."""

    params_model = PhotoParams

    def setup_steps(self, registry: StepRegistry[UploadContext]) -> None:
        """Insert the check where it is known what belongs together, and nothing has been sent."""
        super().setup_steps(registry)
        registry.insert_after("organize_files", CheckPhotosStep(self.params.min_width))
