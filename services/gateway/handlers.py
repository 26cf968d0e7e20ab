"""What the gateway service does when it is called, and when it is told.

Operations that front RPCs are answered by the generated `Front`. To answer one by other
means, override its method in a class of this module, and make that in app.py.
"""

from __future__ import annotations
