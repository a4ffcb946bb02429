"""Click a patch of a photograph and hear what that place sounds like.

Importing this package stays cheap: `Studio` is imported when it is first asked for, torch and the models by the first
call that needs them. So the renderer under tools/blender can import single modules with numpy alone.
"""

from typing import TYPE_CHECKING, Any

from synesthesia.core.errors import UserError
from synesthesia.core.version import VERSION

if TYPE_CHECKING:
    from synesthesia.studio import Studio

__version__ = VERSION
__all__ = ["Studio", "UserError", "__version__"]


def __getattr__(name: str) -> Any:
    if name != "Studio":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from synesthesia.studio import Studio

    return Studio
