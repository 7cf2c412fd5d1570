"""Compiles warehouse/bundled from the recorded payloads: `python -m tests.compile_bundle` (`make bundle`)."""

from pipelines.authoring import bundle
from tests.recordings import folders

if __name__ == "__main__":
    bundle.main(folders())
