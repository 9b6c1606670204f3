"""Where mayfly means to differ from cloudflared, each with its reason."""
from harness.comparison import Listed

LISTED = []
