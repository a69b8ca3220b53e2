"""What TeX's commands mean to a reader of plain text."""

from __future__ import annotations

from collections.abc import Mapping

LITERAL = "$%&#_{}"
SUPER = str.maketrans(
    "0123456789+-=()niabcdefghjklmoprstuvwxyzABDEGHIJKLMNOPRTUVW",
    "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿⁱᵃᵇᶜᵈᵉᶠᵍʰʲᵏˡᵐᵒᵖʳˢᵗᵘᵛʷˣʸᶻᴬᴮᴰᴱᴳᴴᴵᴶᴷᴸᴹᴺᴼᴾᴿᵀᵁⱽᵂ",
)
SUB = str.maketrans(
    "0123456789+-=()aehijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ"
)
DOUBLE_STRUCK = str.maketrans("CHNPQRZ", "\u2102\u210d\u2115\u2119\u211a\u211d\u2124")
#: Accents, as a sign, as a letter command, and by name in math.
ACCENTS: Mapping[str, str] = {
    **dict(zip("'`^\"~=.", "\u0301\u0300\u0302\u0308\u0303\u0304\u0307", strict=True)),
    **dict(
        zip("uvHcdbkr", "\u0306\u030c\u030b\u0327\u0323\u0331\u0328\u030a", strict=True)
    ),
    "acute": "\u0301",
    "bar": "\u0304",
    "breve": "\u0306",
    "check": "\u030c",
    "ddot": "\u0308",
    "dot": "\u0307",
    "grave": "\u0300",
    "hat": "\u0302",
    "overline": "\u0304",
    "tilde": "\u0303",
    "vec": "\u20d7",
    "widehat": "\u0302",
    "widetilde": "\u0303",
}
#: Commands whose argument is all that is said.
STYLES = frozenset(
    "emph text textbf textit textrm textsf textsc texttt textnormal textmd textup "
    "textsl underline uline mathcal mathbf mathrm mathsf mathtt mathit mathfrak "
    "mathscr mathnormal boldsymbol bm pmb operatorname mbox hbox fbox ensuremath "
    "smash mathop mathbin mathrel uppercase lowercase MakeUppercase title "
    "texorpdfstring mathds underbrace overbrace overrightarrow overleftarrow "
    "ce num si unit".split()
)
#: Commands that say nothing, and their arguments with them.
SILENT = frozenset(
    "cite citep citet citealp citeauthor citeyear ref eqref cref Cref autoref label "
    "footnotemark footnotetext vspace hspace color begin end phantom "
    "documentclass usepackage setlength thanks index input includegraphics".split()
)
#: Switches without an argument.
SWITCHES = frozenset(
    "em bf it sc sl tt rm sf bfseries itshape scshape ttfamily rmfamily sffamily "
    "normalfont tiny scriptsize footnotesize small normalsize large Large LARGE huge "
    "Huge left right big Big bigg Bigg bigl bigr Bigl Bigr displaystyle textstyle "
    "scriptstyle limits nolimits centering noindent par protect relax "
    "newline linebreak".split()
)
#: Commands of one sign; another sign stands for itself.
SIGNS = {**dict.fromkeys(" \n\t,;:>\\", " "), "|": "‖"}
WORDS = {
    "i": "\u0131",
    "j": "\u0237",
    "quad": " ",
    "qquad": " ",
    "celsius": "°C",
    "circ": "∘",
    "degree": "°",
    "colon": ":",
    "dots": "…",
    "item": "•",
    "ldots": "…",
    "cdot": "·",
    "xspace": "",
}
#: What preprint servers write between braces, beside Greek letters.
BRACED = {"+/-": "±", "approx": "≈", "degrees": "°", "micro": "µ"}
NOTHING = frozenset("!/-@")
