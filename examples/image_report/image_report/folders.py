"""Look at the folders of a run before anything is written."""

import os
from collections.abc import Sequence
from pathlib import Path

from image_report.errors import FolderError, writing_errors_explained
from image_report.outcome import ImageOutcome

__all__ = ["check_output_folder", "find_images", "is_text", "reject_name"]

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png")


def find_images(folder: Path) -> list[Path]:
    """Return the images directly in a folder, sorted by name. Dangling links count: they fail later.

    Raises:
        FolderError: The folder is missing, is a file, cannot be read, or has no images.
    """
    try:
        files = [path for path in folder.iterdir() if path.is_file() or (path.is_symlink() and not path.exists())]
    except OSError as error:
        raise unreadable(folder, error) from error
    images = sorted(path for path in files if path.name.lower().endswith(IMAGE_SUFFIXES))
    if not images:
        msg = f"No images found in {folder}"
        fix = f"Set input_dir to a folder with {', '.join(IMAGE_SUFFIXES)} files; folders inside it are not looked into"
        raise FolderError(msg, fix=fix, path=str(folder))
    return images


def unreadable(folder: Path, error: OSError) -> FolderError:
    """Return an error that says what is wrong with an input folder, and the way out."""
    name = f"The input folder {str(folder)!r}"
    match error:
        case FileNotFoundError():
            why, fix = f"Looked for {folder.absolute()}", "Set input_dir to the folder of your photos"
            return FolderError(f"{name} does not exist", why=why, fix=fix, path=str(folder))
        case NotADirectoryError():
            fix = f"Set input_dir to its folder, {str(folder.parent)!r}"
            return FolderError(f"{name} is a file", fix=fix, path=str(folder))
        case _:
            fix = f"Check its permissions with: ls -ld {folder}"
            return FolderError(f"{name} cannot be read", why=error.strerror, fix=fix, path=str(folder))


def check_output_folder(folder: Path, input_folder: Path, file_names: Sequence[str]) -> None:
    """Make sure that files of these names can be put into a folder, which need not exist yet.

    Raises:
        FolderError: It is a file, is the input folder, or has a file of one of the names.
    """
    fix = "Set output_dir to a new folder"
    with writing_errors_explained(folder):
        if os.path.lexists(folder) and not folder.is_dir():
            msg = f"The output folder {str(folder)!r} is not a folder"
            raise FolderError(msg, fix=fix, path=str(folder))
        if folder.exists() and folder.samefile(input_folder):
            msg = f"The output folder {str(folder)!r} is the input folder"
            raise FolderError(msg, why="Photos are never overwritten", fix=fix, path=str(folder))
        taken = next((name for name in file_names if os.path.lexists(folder / name)), None)
        if taken is not None:
            msg = f"The output folder {str(folder)!r} already has a {taken!r}"
            why = "Files are never overwritten"
            raise FolderError(msg, why=why, fix=f"{fix}, or move the file away", path=str(folder))


def is_text(name: str) -> bool:
    """Whether a file name can be written down; on Linux it may be any bytes."""
    return not any("\ud800" <= character <= "\udfff" for character in name)


def reject_name(name: str) -> ImageOutcome:
    """Account for an image whose name is not text; the bytes that are none are shown as numbers."""
    shown = name.encode("utf-8", "backslashreplace").decode()
    return ImageOutcome(file=shown, error="its name is not valid UTF-8; rename it")
