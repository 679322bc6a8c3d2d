"""The one typeface of all that is drawn: Inter's Latin letters, as the site loads them and as two weights for print."""

from pathlib import Path

LICENSED = Path(__file__).parent  # inter.LICENSE lies beside them
WEB = LICENSED / "inter.woff2"
# cut from the same file at weights 400 and 700, since nothing that draws on paper reads it
REGULAR, BOLD = FONTS = (LICENSED / "inter-regular.ttf", LICENSED / "inter-bold.ttf")
