"""Click a patch of a photograph and hear what that place sounds like.

Importing this package stays cheap: torch and the models are loaded by the first call that needs them.
"""

from synesthesia.core.about import VERSION
from synesthesia.core.errors import UserError
from synesthesia.studio import Studio

__version__ = VERSION
__all__ = ["Studio", "UserError", "__version__"]
