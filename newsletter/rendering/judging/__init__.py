"""Judging a theme: in a process of its own, over sample issues.

judge  starts  child  runs  source   what the files say: Jinja, MJML, settings
                            mails    what they make of the samples
"""

from __future__ import annotations

from newsletter.rendering.judging.judge import judge, refused

__all__ = ["judge", "refused"]
