"""How the site is built: ``make docs`` writes it to ``build/docs``; whatever is wrong with a page is an error."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE / "extensions"), str(HERE.parent)]

project = "ems"
author = "The authors of ems"
extensions = ["myst_parser", "blocks", "mathml", "reference"]
html_math_renderer = "mathml"
myst_enable_extensions = ["dollarmath", "attrs_block", "colon_fence", "deflist"]
myst_heading_anchors = 3
exclude_patterns = ["README.md"]
nitpicky = True
smartquotes = False  # code stays as it is typed
suppress_warnings = ["misc.highlighting_failure"]  # outputs are no language

html_theme = "furo"
html_title = "ems"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
html_theme_options = {"navigation_with_keys": True}
