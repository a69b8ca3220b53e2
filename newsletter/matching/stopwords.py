"""English words that say nothing of a subject; no suggestion begins or ends so."""

from __future__ import annotations

STOP_WORDS = frozenset(
    """
a about above across after again against all almost alone along already also although
always am among an and another any are around as at away back be became because become
been before behind being below best better between both but by can cannot come could
did do does doing done down due during each either else enough especially et etc even
ever every few first five for four from full further get give given gives go good had
has have having he hence her here hers him his how however i ie if in indeed instead
into is it its itself just keep kept last later least less let like likely made mainly
make makes making many may me might more moreover most mostly much must my nearly need
neither never nevertheless new next no non none nor not now of off often on once one
only onto or other others otherwise our ours out over own part per perhaps put quite
rather really same second see seem seen several shall she should show showed shown shows
since six so some somewhat still such than that the their them then there thereby
therefore these they third this those though three through throughout thus to together
too toward towards two under unless until up upon us use used useful uses using usually
various very via was way we well were what when where whereas whether which while who
whole whom whose why will with within without would yet you your
achieve achieved achieves achieving address addresses allow allows approach approaches
based code compared demonstrate demonstrates e evaluate existing experiment experiments
extensive eg g github have https improve improved improves improving
introduce introduces method methods outperform outperforming outperforms paper
presents previous propose proposed proposes provide provides recent recently require
requires result results s significant significantly study studies superior work works
effective effectively enable enables enabling remain remains state t d re ve ll
""".split()
) - {"state"}
